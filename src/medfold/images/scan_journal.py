"""Journal that makes a scan resumable: results and prepared images are written as soon as they are computed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from medfold import files


class Journal:
    """Results of an unfinished scan, several images per line, and the arrays that images are written to.

    Args:
        folder: folder of the scan. It is emptied if its contents belong to another scan or are incomplete.
        origin: fingerprint of the inputs and outputs of the scan.
        count: number of images.
        shapes: shape of one image in each array, by file name.

    Attributes:
        done: rows of the images that were scanned when the journal was opened.
    """

    def __init__(self, folder: Path, origin: str, count: int, shapes: dict[str, tuple[int, ...]]):
        self._path, self.done = folder / "journal.jsonl", set()
        self._marker = marker = folder / "origin.txt"
        complete = all((folder / name).is_file() for name in [marker.name, *shapes])
        if not complete or marker.read_text() != origin:
            files.remove(folder)
            folder.mkdir(parents=True)
            for name, shape in shapes.items():
                np.lib.format.open_memmap(folder / name, mode="w+", dtype=np.uint8, shape=(count, *shape))
            files.write_text(origin, marker)
        self.done = set(self.read())

    def read(self) -> dict[int, list[Any]]:
        """Returns the results of `scan_image` by row. A last line that was cut off is left out."""
        if not self._path.is_file():
            return {}
        with self._path.open(encoding="utf-8") as lines:
            return {result[0]: result for line in lines if line.endswith("\n") for result in json.loads(line)}

    @contextmanager
    def writing(self) -> Iterator:
        """Opens the journal; yields a function that appends a list of results."""
        self.forget([])  # removes the incomplete line of a killed scan
        with self._path.open("a", encoding="utf-8") as file:

            def write(results: list[list[Any]]) -> None:
                file.write(json.dumps(results) + "\n")
                file.flush()

            yield write

    def remove(self) -> None:
        """Deletes the journal but not the arrays. A scan that is killed after this starts again from the beginning."""
        self._marker.unlink()
        self._path.unlink()

    def forget(self, rows: Iterable[int]) -> None:
        """Deletes the results of some rows."""
        deleted = {int(row) for row in rows}
        remaining = [result for row, result in self.read().items() if row not in deleted]
        files.write_text(f"{json.dumps(remaining)}\n" if remaining else "", self._path)
