"""Arrays in .npy files, filled row by row: disk space reserved beforehand, no short writes, hashes of blocks."""

import mmap
import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from medfold.errors import UserError
from medfold.system import files, json_files

BLOCK_BYTES = 16 << 20  # at least a row
# NumPy raises these for a damaged .npy or .npz file, beside ValueError. It reads the header of an array as Python.
DAMAGED_ARRAY_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    SyntaxError,
    tokenize.TokenError,
)


def create_array(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
    """Creates a .npy file of zeros and reserves its disk space.

    On a full disk, writing to a memory map without reserved space ends the process with a bus error.

    Args:
        path: path of the new file; it must not exist.
        shape: shape of the array.
        dtype: data type of the array.

    Raises:
        OSError: too little disk space; the file is removed.
    """
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    try:
        with files.failed_writes_named(path), path.open("xb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.flush()
            size = file.tell() + int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            reserve(file.fileno(), size)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def reserve(descriptor: int, size: int) -> None:
    """Sets the size of a file, and reserves its disk space where the system supports that.

    Raises:
        OSError: too little disk space.
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
        left = left[count:]
        offset = offset + count


def release_pages(array: Any) -> None:
    """Releases the pages of a memory-mapped array that were read; does nothing for other arrays.

    The pages stay in the system's cache, so reading them again is cheap, but they no longer count as memory of the
    process, which therefore does not grow with the number of images read.
    """
    pages = getattr(array, "_mmap", None)
    if hasattr(pages, "madvise"):
        pages.madvise(mmap.MADV_DONTNEED)


def row_hash(row: np.ndarray) -> str:
    """Returns the hash of one row: XXH3 with 64 bits, as 16 hex digits."""
    return xxhash.xxh3_64_hexdigest(np.ascontiguousarray(row))


@dataclass(frozen=True)
class BlockHashes:
    """Hashes of an array, block by block of whole rows.

    Args:
        rows: number of rows of the array.
        rows_per_block: number of rows of each block; the last may have fewer.
        hashes: XXH3 of each block with 64 bits, as hex digits.
    """

    rows: int
    rows_per_block: int
    hashes: list[str]


def hash_blocks(array: np.ndarray, row_hashes: Mapping[int, str] | None = None) -> tuple[BlockHashes, list[int]]:
    """Hashes an array block by block, and finds rows that differ from the hashes recorded when they were written.

    Args:
        array: a memory-mapped one is read once from front to end.
        row_hashes: `row_hash` of some rows, by number. Defaults to none.

    Returns:
        The hashes of the blocks, and the numbers of the rows whose hash differs.
    """
    per_block = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
    hashes = []
    differing = []
    for start, block in _blocks(array, per_block):
        hashes.append(row_hash(block))
        for number, row in enumerate(block, start):
            if row_hashes and number in row_hashes and row_hash(row) != row_hashes[number]:
                differing.append(number)
    return BlockHashes(len(array), per_block, hashes), differing


def write_hashes(array: np.ndarray, path: Path) -> None:
    """Writes the hashes of an array's blocks to a JSON file."""
    json_files.write(asdict(hash_blocks(array)[0]), path, sealed=True)


def is_intact(array_file: Path, hashes_file: Path) -> bool:
    """Returns True if a .npy file has the hashes that `write_hashes` recorded; reads it once from front to end.

    A file without recorded hashes, as earlier versions left it, counts as intact; its hashes are recorded now.
    """
    try:
        array = np.load(array_file, mmap_mode="r")
        recorded = json_files.read(hashes_file, schema=BlockHashes)
        if recorded is not None:
            return not damaged_rows(array, recorded)
    except (*DAMAGED_ARRAY_ERRORS, ValueError, UserError):  # cut off, or not the file that was written
        return False
    write_hashes(array, hashes_file)
    return True


def damaged_rows(array: np.ndarray, blocks: BlockHashes) -> list[range]:
    """Finds the blocks of an array whose hash is not what was recorded.

    Returns:
        The rows of each such block; all rows as one range if the number of rows or blocks is another.
    """
    if len(array) != blocks.rows or len(blocks.hashes) != -(-blocks.rows // max(1, blocks.rows_per_block)):
        return [range(len(array))]
    found = zip(_blocks(array, blocks.rows_per_block), blocks.hashes, strict=True)
    return [range(start, start + len(block)) for (start, block), recorded in found if row_hash(block) != recorded]


def _blocks(array: np.ndarray, rows: int) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(array), rows):
        yield start, array[start : start + rows]
        release_pages(array)
