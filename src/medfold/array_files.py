"""Arrays in .npy files that are filled row by row: room reserved beforehand, no short writes, hashes of blocks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash

BLOCK_BYTES = 16 << 20  # at least a row


def create_array(path: Path, shape: tuple[int, ...], dtype: np.typing.DTypeLike) -> None:
    """Creates a .npy file of zeros and reserves its room on the disk.

    Writing to a memory map of a file without reserved room ends the process with a bus error once the disk is full.

    Args:
        path: the file; must not exist.
        shape, dtype: of the array.

    Raises:
        OSError: the disk has too little room; the file is removed.
    """
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    try:
        with path.open("xb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.flush()
            size = file.tell() + int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            reserve(file.fileno(), size)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def reserve(descriptor: int, size: int) -> None:
    """Makes a file so large, with room for all of it on the disk where the system can promise that.

    Raises:
        OSError: the disk has too little room.
    """
    if hasattr(os, "posix_fallocate") and size:
        os.posix_fallocate(descriptor, 0, size)
    else:  # macOS, Windows: writing reports a full disk
        os.truncate(descriptor, size)


def write_at(descriptor: int, data: memoryview | bytes, offset: int) -> None:
    """Writes all of the data at a position of a file.

    Raises:
        OSError: the disk is full. A single `write` may return after a part of the data instead.
    """
    left = memoryview(data).cast("B")
    while left:
        if hasattr(os, "pwrite"):
            count = os.pwrite(descriptor, left, offset)
        else:  # Windows
            os.lseek(descriptor, offset, os.SEEK_SET)
            count = os.write(descriptor, left)
        left, offset = left[count:], offset + count


def row_hash(row: np.ndarray) -> str:
    """Hash of one row: XXH3 with 64 bits, as 16 hex digits."""
    return xxhash.xxh3_64_hexdigest(np.ascontiguousarray(row))


@dataclass(frozen=True)
class Blocks:
    """Hashes of an array, block by block of whole rows.

    Args:
        rows: number of rows of the array.
        rows_per_block: of all blocks but the last, which may be shorter.
        hashes: XXH3 of each block with 64 bits, as hex digits.
    """

    rows: int
    rows_per_block: int
    hashes: list[str]


def hash_blocks(array: np.ndarray) -> Blocks:
    """Hashes an array; a memory-mapped one is read once from front to end."""
    per_block = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
    return Blocks(len(array), per_block, [row_hash(block) for block in _blocks(array, per_block)])


def damaged_rows(array: np.ndarray, blocks: Blocks) -> list[range]:
    """Finds the blocks of an array whose hash is not what was noted.

    Returns:
        The rows of each such block; all rows as one range if their number is another.
    """
    if len(array) != blocks.rows:
        return [range(len(array))]
    size = blocks.rows_per_block
    hashes = [row_hash(block) for block in _blocks(array, size)]
    return [
        range(number * size, min(len(array), (number + 1) * size))
        for number, (found, noted) in enumerate(zip(hashes, blocks.hashes, strict=True))
        if found != noted
    ]


def _blocks(array: np.ndarray, rows: int) -> Iterator[np.ndarray]:
    from medfold import files

    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        files.release_pages(array)
