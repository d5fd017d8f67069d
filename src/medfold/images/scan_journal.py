"""Journal that makes a scan resumable: results and prepared images are written as soon as they are computed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from medfold.errors import UserError
from medfold.images.scan_worker import ImageScan
from medfold.system import array_files, files


class Journal:
    """Results of an unfinished scan, several images per line, and the arrays that images are written to.

    Args:
        folder: folder of the scan. It is emptied if its contents belong to another scan or are incomplete.
        inputs_fingerprint: fingerprint of the inputs and outputs of the scan.
        num_images: number of images.
        shapes: shape of one image in each array, by file name.

    Attributes:
        done: rows of the images that were scanned when the journal was opened.
    """

    def __init__(self, folder: Path, inputs_fingerprint: str, num_images: int, shapes: dict[str, tuple[int, ...]]):
        self._path = folder / "journal.jsonl"
        self.done = set()
        self._marker = marker = folder / "origin.txt"
        is_complete = all((folder / name).is_file() for name in [marker.name, *shapes])
        if not is_complete or marker.read_text() != inputs_fingerprint:
            files.remove(folder)
            folder.mkdir(parents=True)
            for name, shape in shapes.items():
                array_files.create_array(folder / name, (num_images, *shape), np.uint8)
            files.write_text(inputs_fingerprint, marker)
        self.done = set(self.read())

    def read(self) -> dict[int, ImageScan]:
        """Returns the results by row. Lines that were cut off or damaged are left out: their images are read again."""
        if not self._path.is_file():
            return {}
        results: dict[int, ImageScan] = {}
        with self._path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with suppress(ValueError, TypeError, RecursionError):
                    results |= {values[0]: ImageScan.from_json(values) for values in json.loads(line)}
        return results

    @contextmanager
    def writing(self) -> Iterator:
        """Opens the journal; yields a function that appends a list of results."""
        self.forget([])  # removes the incomplete line of a killed scan
        with self._path.open("a", encoding="utf-8") as file:

            def write(results: list[ImageScan]) -> None:
                with files.failed_writes_named(self._path):
                    file.write(json.dumps([result.to_json() for result in results]) + "\n")
                    file.flush()

            yield write

    def remove(self) -> None:
        """Deletes the journal but not the arrays. A scan that is killed after this starts again from the beginning."""
        self._marker.unlink()
        self._path.unlink()

    def verify(self, name: str, results: dict[int, ImageScan]) -> array_files.BlockHashes:
        """Compares an array with the hashes of the rows that were written to it.

        Args:
            name: file name of the array.
            results: the results by row, from `read`.

        Returns:
            The hashes of its blocks.

        Raises:
            UserError: rows differ, after a power failure or by a fault of the disk; they are deleted from the journal.
        """
        path = self._path.with_name(name)
        recorded = {row: result.written[name] for row, result in results.items() if not result.unreadable_reason}
        blocks, differing = array_files.hash_blocks(np.load(path, mmap_mode="r"), recorded)
        if differing:
            self.forget(differing)
            what = f"{len(differing):,} of {blocks.rows:,} images are not on the disk as they were written"
            raise UserError(what, path, "The same command prepares them again; check the disk")
        return blocks

    def forget(self, rows: Iterable[int]) -> None:
        """Deletes the results of some rows."""
        deleted = {int(row) for row in rows}
        remaining = [result.to_json() for row, result in self.read().items() if row not in deleted]
        files.write_text(f"{json.dumps(remaining)}\n" if remaining else "", self._path)
