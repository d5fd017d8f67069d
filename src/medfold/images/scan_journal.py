"""The journal that makes a scan resumable: rows of the store and measurements, written as they are made."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from medfold import files


class Journal:
    """How far a pass is: what `look_at` gave, some images a line, and the arrays that images are written to.

    Args:
        folder: of the pass; emptied if what it holds is of another pass.
        origin: a fingerprint of what the pass is for.
        count: of images.
        shapes: of one image's part in each array.
    """

    def __init__(self, folder: Path, origin: str, count: int, shapes: dict[str, tuple[int, ...]]):
        self._path, self.done = folder / "journal.jsonl", set()
        self._marker = marker = folder / "origin.txt"
        whole = all((folder / name).is_file() for name in [marker.name, *shapes])
        if not whole or marker.read_text() != origin:
            files.remove(folder)
            folder.mkdir(parents=True)
            for name, shape in shapes.items():
                np.lib.format.open_memmap(folder / name, mode="w+", dtype=np.uint8, shape=(count, *shape))
            files.write_text(origin, marker)
        self.done = set(self.read())

    def read(self) -> dict[int, list[Any]]:
        """What was written down, by row; a last line that was cut off is left out."""
        if not self._path.is_file():
            return {}
        with self._path.open(encoding="utf-8") as lines:
            return {found[0]: found for line in lines if line.endswith("\n") for found in json.loads(line)}

    @contextmanager
    def writing(self) -> Iterator:
        """Gives `write(results)`."""
        self.forget([])  # ends what a killed pass left with a whole line
        with self._path.open("a", encoding="utf-8") as file:

            def write(results: list[list[Any]]) -> None:
                file.write(json.dumps(results) + "\n")
                file.flush()

            yield write

    def remove(self) -> None:
        """Leaves the arrays alone in the folder; a pass that is killed now begins anew."""
        self._marker.unlink()
        self._path.unlink()

    def forget(self, rows: Iterable[int]) -> None:
        """Strikes rows out."""
        gone = {int(row) for row in rows}
        kept = [found for row, found in self.read().items() if row not in gone]
        files.write_text(f"{json.dumps(kept)}\n" if kept else "", self._path)
