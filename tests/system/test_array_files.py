"""Arrays in files: disk space reserved, written completely, hashed by block, read without growing memory."""

import errno
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from medfold.system import array_files
from medfold.system.array_files import create_array, damaged_rows, hash_blocks, row_hash, write_at


def test_create_array_holds_zeros_and_reserves_space(tmp_path):
    path = tmp_path / "a.npy"
    create_array(path, (5, 3, 2), np.float32)
    array = np.load(path, mmap_mode="r")
    assert (array.shape, array.dtype) == ((5, 3, 2), np.float32)
    assert not array.any()
    if hasattr(os, "posix_fallocate"):
        assert path.stat().st_blocks * 512 >= array.nbytes


def test_create_array_writes_the_bytes_of_np_save(tmp_path):
    create_array(tmp_path / "ours.npy", (4, 3), np.uint8)
    np.save(tmp_path / "theirs.npy", np.zeros((4, 3), np.uint8))
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()


def test_create_array_on_a_full_disk_leaves_no_file(tmp_path, monkeypatch):
    def full(descriptor, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(array_files, "reserve", full)
    with pytest.raises(OSError, match="No space left.*a.npy"):
        create_array(tmp_path / "a.npy", (4, 3), np.uint8)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_write_at_continues_after_short_writes(tmp_path, monkeypatch, most):
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: pwrite(file, data[:most], offset))
    path, data = tmp_path / "x", bytes(range(200))
    path.write_bytes(bytes(300))
    with path.open("r+b", buffering=0) as file:
        write_at(file.fileno(), data, 50)
    assert path.read_bytes() == bytes(50) + data + bytes(50)


def test_damaged_rows_finds_the_block_of_a_changed_byte(monkeypatch):
    monkeypatch.setattr(array_files, "BLOCK_BYTES", 64)
    array = np.random.default_rng(0).integers(0, 256, (50, 4, 4), dtype=np.uint8)  # 4 rows per block
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


def test_array_is_intact_until_a_byte_changes(tmp_path):
    path, hashes = tmp_path / "x.npy", tmp_path / "x.json"
    np.save(path, np.arange(12, dtype=np.float32).reshape(3, 4))
    assert array_files.is_intact(path, hashes)  # noted now
    assert array_files.is_intact(path, hashes)
    content = path.read_bytes()
    for damaged in (content[:-1] + b"\1", content[:-8], content[: len(content) // 3], b"", b"\0" * 200):
        path.write_bytes(damaged)
        assert not array_files.is_intact(path, hashes)
    path.write_bytes(content)
    hashes.write_text(hashes.read_text().replace('"rows": 3', '"rows": 2'))
    assert not array_files.is_intact(path, hashes)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_release_pages_frees_memory_of_a_mapped_array(tmp_path):
    def in_memory():
        return int(re.search(r"RssFile:\s+(\d+)", Path("/proc/self/status").read_text())[1]) << 10

    np.save(tmp_path / "array.npy", np.ones(32 << 20, np.uint8))
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")
    before = in_memory()
    assert mapped.sum() == 32 << 20
    assert in_memory() > before + (24 << 20)
    array_files.release_pages(mapped)
    assert in_memory() < before + (8 << 20)
    assert mapped.sum() == 32 << 20
    array_files.release_pages(np.ones(3))
