"""Checkpoints: how far a training is, on disk, so that it goes on as if it had never stopped, at next to no cost."""

import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from medfold import files
from medfold.errors import UserError

EVERY = 300.0  # seconds between two checkpoints within an epoch
SHARE = 0.02  # of the time may be spent on saving


class Checkpoint:
    """The saved state of one training: arrays, and facts that JSON can hold.

    The state before the last one is kept until the training is done, in case the disk damages the last.

    Args:
        path: of the file.
        fits: what a state must have been saved under; one of another recipe, net or order is not taken up.
        precision: that is computed in. Defaults to none that matters.
        layout: of the arrays; a state of another one is not taken up. Defaults to any.
        older_layout: of the arrays as earlier versions saved them. Defaults to none.
    """

    def __init__(self, path: Path, fits: Any, precision: str = "", layout: Any = None, older_layout: Any = None):
        self._path, self._before = path, path.with_name(f"before-{path.name}")
        self._fits, self._precision, self._layout = files.fingerprint(fits), precision, files.fingerprint(layout)
        self._known = {self._layout, files.fingerprint(older_layout)} if older_layout else {self._layout}
        self._saved, self._cost = time.monotonic(), 0.0

    def load(self) -> tuple[list[np.ndarray], dict[str, Any]] | None:
        """The last state that is whole and fits; None without one.

        Raises:
            UserError: it is of this very training, but in another precision; begun anew, it would be lost.
        """
        for path in (self._path, self._before):
            try:
                with np.load(path) as content:
                    facts = json.loads(str(content["facts"]))
                    if facts.pop("fits") != self._fits:
                        continue
                    if (begun := facts.pop("precision")) != self._precision:
                        what = f"it was begun in {begun}, and this machine trains in {self._precision}"
                        fix = "Go on with it where it was begun, or delete this file to begin anew"
                        raise UserError(what, path, fix)
                    if facts.pop("layout") in self._known:
                        return [content[f"{number}"] for number in range(len(content.files) - 1)], facts
            except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
                continue
        return None

    def due(self, epoch_ends: bool) -> bool:
        """True if it is time to save: at the end of an epoch or every few minutes, unless that cost too much."""
        elapsed = time.monotonic() - self._saved
        return elapsed * SHARE >= self._cost and (epoch_ends or elapsed >= EVERY)

    def save(self, arrays: list[np.ndarray], facts: dict[str, Any]) -> None:
        """Writes a state, whole and down to the disk, in place of the one before the last."""
        began = time.monotonic()
        under = {"fits": self._fits, "precision": self._precision, "layout": self._layout}
        text = json.dumps({**facts, **under})
        with files.atomic_write(self._path) as temporary:
            with temporary.open("wb") as file:
                np.savez(file, **{f"{number}": array for number, array in enumerate(arrays)}, facts=np.array(text))
                file.flush()
                os.fsync(file.fileno())
            if self._path.is_file():
                self._path.replace(self._before)
        self._saved = time.monotonic()
        self._cost = self._saved - began

    def remove(self) -> None:
        """Forgets the states: the training is done."""
        self._path.unlink(missing_ok=True)
        self._before.unlink(missing_ok=True)
