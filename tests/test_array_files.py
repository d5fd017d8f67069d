"""Arrays in files: reserved, written completely, hashed by block."""

import errno
import os

import numpy as np
import pytest

from medfold import array_files
from medfold.array_files import create_array, damaged_rows, hash_blocks, row_hash, write_at


def test_a_created_array_holds_zeros_and_has_its_room(tmp_path):
    path = tmp_path / "a.npy"
    create_array(path, (5, 3, 2), np.float32)
    array = np.load(path, mmap_mode="r")
    assert (array.shape, array.dtype) == ((5, 3, 2), np.float32)
    assert not array.any()
    if hasattr(os, "posix_fallocate"):
        assert path.stat().st_blocks * 512 >= array.nbytes


def test_a_created_array_has_the_bytes_of_numpys(tmp_path):
    create_array(tmp_path / "ours.npy", (4, 3), np.uint8)
    np.save(tmp_path / "theirs.npy", np.zeros((4, 3), np.uint8))
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()


def test_an_array_that_has_no_room_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    def full(descriptor, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(array_files, "reserve", full)
    with pytest.raises(OSError, match="No space left"):
        create_array(tmp_path / "a.npy", (4, 3), np.uint8)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_a_write_that_returns_early_goes_on_until_all_is_written(tmp_path, monkeypatch, most):
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: pwrite(file, data[:most], offset))
    path, data = tmp_path / "x", bytes(range(200))
    path.write_bytes(bytes(300))
    with path.open("r+b", buffering=0) as file:
        write_at(file.fileno(), data, 50)
    assert path.read_bytes() == bytes(50) + data + bytes(50)


def test_blocks_find_one_changed_byte_and_the_rows_around_it(monkeypatch):
    monkeypatch.setattr(array_files, "BLOCK_BYTES", 64)
    array = np.random.default_rng(0).integers(0, 256, (50, 4, 4), dtype=np.uint8)  # 4 rows a block
    blocks, differing = hash_blocks(array, {3: row_hash(array[3]), 7: row_hash(array[8])})
    assert (blocks.rows, blocks.rows_per_block, len(blocks.hashes), differing) == (50, 4, 13, [7])
    assert damaged_rows(array, blocks) == []
    changed = array.copy()
    changed[17, 3, 3] ^= 1
    assert damaged_rows(changed, blocks) == [range(16, 20)]
    changed[49, 0, 0] ^= 128
    assert damaged_rows(changed, blocks) == [range(16, 20), range(48, 50)]
    assert damaged_rows(array[:-1], blocks) == [range(49)]
    assert damaged_rows(array[:0], hash_blocks(array[:0])[0]) == []
