"""The journal of a scan: results that survive a kill, and hashes of the prepared images."""

import numpy as np
import pytest

from medfold.images import ImageScan
from medfold.images.scan_journal import Journal
from medfold.system import array_files
from tests.support.helpers import refused

SHAPES = {"images.npy": (4, 4, 1)}


def scanned(row, pixel_hash, **written):
    return ImageScan(row, "", 4, 4, pixel_hash, None, written or None)


@pytest.fixture
def folder(tmp_path):
    """The folder of a scan of three images, of which rows 2 and 0 are done."""
    journal = Journal(tmp_path / "scan", "inputs", 3, SHAPES)
    with journal.writing() as write:
        write([scanned(2, "c")])
        write([scanned(0, "a")])
    return tmp_path / "scan"


def test_reopened_journal_has_the_results(folder):
    journal = Journal(folder, "inputs", 3, SHAPES)
    assert journal.done == {0, 2}
    assert journal.read() == {0: scanned(0, "a"), 2: scanned(2, "c")}


def test_incomplete_last_line_is_left_out_and_removed(folder):
    with (folder / "journal.jsonl").open("a") as file:
        file.write('[[1, "", "b')
    journal = Journal(folder, "inputs", 3, SHAPES)
    assert journal.done == {0, 2}
    with journal.writing() as write:
        write([scanned(1, "b")])
    assert sorted(journal.read()) == [0, 1, 2]


def test_other_inputs_or_a_missing_array_start_again(folder):
    assert Journal(folder, "other inputs", 3, SHAPES).done == set()
    with Journal(folder, "other inputs", 3, SHAPES).writing() as write:
        write([scanned(1, "b")])
    (folder / "images.npy").unlink()
    assert Journal(folder, "other inputs", 3, SHAPES).done == set()
    assert np.load(folder / "images.npy").shape == (3, 4, 4, 1)


def test_forget_deletes_results_of_rows(folder):
    journal = Journal(folder, "inputs", 3, SHAPES)
    journal.forget([2])
    assert Journal(folder, "inputs", 3, SHAPES).done == {0}


def test_remove_keeps_the_arrays(folder):
    Journal(folder, "inputs", 3, SHAPES).remove()
    assert [path.name for path in folder.iterdir()] == ["images.npy"]


def test_verify_forgets_rows_that_differ_from_their_hash(folder):
    journal = Journal(folder, "inputs", 3, SHAPES)
    zeros = np.zeros(SHAPES["images.npy"], np.uint8)
    with journal.writing() as write:
        write([scanned(row, "a", **{"images.npy": array_files.row_hash(zeros)}) for row in range(3)])
    assert journal.verify("images.npy", journal.read()).rows == 3
    pixels = np.load(folder / "images.npy", mmap_mode="r+")
    pixels[1, 2, 3] = 1
    pixels.flush()
    with refused(r"images.npy: 1 of 3 images"):
        journal.verify("images.npy", journal.read())
    assert Journal(folder, "inputs", 3, SHAPES).done == {0, 2}


@pytest.mark.parametrize(
    "line", ["no JSON", "[1]", "[[1]]", '{"a": 1}', "5", "null", '[[1, "", 3]]', "[" * 9000, "\x00"]
)
def test_damaged_lines_are_left_out(folder, line):
    with (folder / "journal.jsonl").open("a") as file:
        file.write(f"{line}\n")
    assert {0, 2} <= Journal(folder, "inputs", 3, SHAPES).done
    assert 1 not in Journal(folder, "inputs", 3, SHAPES).done
