"""Checkpoints: saved state from which a training resumes exactly, at almost no cost."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from medfold.earlier_versions import CHECKPOINT, CHECKPOINT_METADATA, FORMER_CHECKPOINT_METADATA, with_current_names
from medfold.errors import UserError
from medfold.system import files
from medfold.system.array_files import DAMAGED_ARRAY_ERRORS
from medfold.system.hashes import fingerprint
from medfold.system.limits import zip_contents_bytes

SAVE_INTERVAL_SECONDS = 300.0  # between checkpoints within an epoch
MAX_TIME_SHARE = 0.02  # maximum share of the time for saving


class Checkpoint:
    """The saved state of one training: arrays, and values that JSON can hold.

    The previous state is kept as well until the training is done, in case the last one is damaged on disk.

    Args:
        path: path of the checkpoint file; the previous state is kept beside it.
        identity: identifies the training: phase, seed, recipe, rows of the images, plugins.py. A state with another
            identity is ignored.
        precision: precision of the computation, such as float32. Defaults to '', for a training without one.
        layout: names and shapes of the arrays; a state with a different layout is ignored. Defaults to none.
        older_layout: the layout that earlier versions saved. Defaults to none.
    """

    def __init__(self, path: Path, identity: Any, precision: str = "", layout: Any = None, older_layout: Any = None):
        self._path, self._previous = path, _previous(path)
        self._identity, self._layout = fingerprint(identity), fingerprint(layout)
        self._precision = precision
        self._known_layouts = {self._layout, fingerprint(older_layout)} if older_layout else {self._layout}
        self._saved_at = time.monotonic()
        self._save_seconds = 0.0

    def load(self) -> tuple[list[np.ndarray], dict[str, Any]] | None:
        """Returns the last state that is complete and matches, as (arrays, metadata); None without one.

        Raises:
            UserError: the state belongs to this training, but in a different precision; starting again would lose it.
        """
        for path in (self._path, self._previous):
            try:
                zip_contents_bytes(path)
                with np.load(path) as content:
                    name = CHECKPOINT_METADATA if CHECKPOINT_METADATA in content else FORMER_CHECKPOINT_METADATA
                    text = TypeAdapter(dict[str, Any]).validate_json(str(content[name]), strict=True)
                    metadata = with_current_names(text, CHECKPOINT)
                    if metadata.pop("identity") != self._identity:
                        continue
                    if (started_in := metadata.pop("precision")) != self._precision:
                        what = (
                            f"this training was started in {started_in}, and this machine trains in {self._precision}"
                        )
                        fix = "Resume it where it was started, or delete this file to start again"
                        raise UserError(what, path, fix)
                    if metadata.pop("layout") in self._known_layouts:
                        return [content[f"{number}"] for number in range(len(content.files) - 1)], metadata
            except (*DAMAGED_ARRAY_ERRORS, ValueError, KeyError):
                continue
        return None

    def is_due(self, is_epoch_end: bool) -> bool:
        """Returns True if it is time to save: at the end of an epoch or every few minutes, unless saving is slow."""
        elapsed = time.monotonic() - self._saved_at
        return elapsed * MAX_TIME_SHARE >= self._save_seconds and (is_epoch_end or elapsed >= SAVE_INTERVAL_SECONDS)

    def save(self, arrays: list[np.ndarray], metadata: dict[str, Any]) -> None:
        """Writes a state to disk completely (with fsync); the last state becomes the previous one."""
        began = time.monotonic()
        conditions = {"identity": self._identity, "precision": self._precision, "layout": self._layout}
        text = json.dumps({**metadata, **conditions})
        with files.atomic_write(self._path) as temporary:
            with temporary.open("wb") as file:
                named_arrays = {f"{number}": array for number, array in enumerate(arrays)}
                np.savez(file, **named_arrays, **{CHECKPOINT_METADATA: np.array(text)})
            if self._path.is_file():
                self._path.replace(self._previous)
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - began


def remove_checkpoint(path: Path) -> None:
    """Deletes a checkpoint and its previous state: the training is done."""
    path.unlink(missing_ok=True)
    _previous(path).unlink(missing_ok=True)


def _previous(path: Path) -> Path:
    """Returns the path of the previous state."""
    return path.with_name(f"before-{path.name}")
