"""Broken image files: each raises a one-line error with its path, and none ends the process."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    ExplicitVRLittleEndian,
)

from medfold.competition import ImageFacts
from medfold.errors import UserError
from medfold.images import read_image
from medfold.images.formats.failures import FIX
from tests.support.broken_files import BROKEN, GREY, encoded
from tests.support.dicom_files import dataset, save
from tests.support.helpers import refused


def read_error(folder: str, name: str, facts: ImageFacts) -> str | None:
    """Returns the error message for a file, or None if it is read."""
    try:
        read_image(Path(folder), name, facts)
    except UserError as error:
        return str(error)
    return None


def redirect_output(path: str) -> None:
    """Redirects stdout and stderr of this process to a file."""
    output = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)


class Worker:
    """A process that reads files, so that a file that crashes it fails only its own test."""

    def __init__(self, folder: Path):
        self._output, self._pool = folder / "output", None

    def read(self, folder: Path, name: str, facts: ImageFacts) -> tuple[str | None, str]:
        """Returns the error message, and what was printed."""
        if self._pool is None:
            self._output.write_bytes(b"")
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), redirect_output, (str(self._output),))
        try:
            message = self._pool.submit(read_error, str(folder), name, facts).result()
        except BrokenProcessPool:
            self._pool = None
            pytest.fail(f"{name} ended the process")
        printed = self._output.read_text()
        os.truncate(self._output, 0)
        return message, printed

    def stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()


@pytest.fixture(scope="module")
def worker(tmp_path_factory) -> Iterator[Worker]:
    made = Worker(tmp_path_factory.mktemp("worker"))
    yield made
    made.stop()


def test_corpus_has_at_least_150_broken_files():
    assert len(BROKEN) >= 150


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file_raises_one_line_with_reason(tmp_path, worker, name):
    make, reason = BROKEN[name]
    make(tmp_path / name.partition("#")[0])
    facts = ImageFacts(
        train="x", channels=3 if name == "lab.tif" else 1, frame="middle" if name == "lie.dcm" else "first"
    )
    line, printed = worker.read(tmp_path, name, facts)
    assert line is not None, "it was read"
    assert re.match(rf"{re.escape(str(tmp_path / name))}: unreadable image \(.+\)\. {FIX}$", line)
    stated = line.partition("unreadable image (")[2].removesuffix(f"). {FIX}")
    assert any(each in stated for each in reason.split("|")), stated
    assert len(stated) <= 150
    assert stated.isprintable()
    assert "DOE" not in stated  # the patient's name
    assert printed == ""


def test_pickled_arrays_are_not_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("pickle.npy", "pickle.npz#a/0"):
        make, reason = BROKEN[name]
        make(tmp_path / name.partition("#")[0])
        assert reason in read_error(str(tmp_path), name, ImageFacts(train="x", channels=1))
    assert not Path("unpickled").exists()
    np.load("pickle.npy", allow_pickle=True)
    assert Path("unpickled").exists()  # the file would unpickle if that was allowed


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_reported(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded("PNG"))
    (tmp_path / "a.png").chmod(0)
    with refused("a.png: unreadable image .Permission denied."):
        read_image(tmp_path, "a.png", ImageFacts(train="x", channels=1))


def test_unknown_suffix_is_refused(tmp_path):
    (tmp_path / "a.xyz").write_bytes(b"")
    with refused("a.xyz: unknown image format '.xyz'. Known: .png, "):
        read_image(tmp_path, "a.xyz", ImageFacts(train="x", channels=1))


def test_excess_pixel_data_is_ignored(tmp_path):
    """Pixel data longer than declared is read up to the declared length."""
    made = dataset(GREY)
    made.PixelData += b"\0" * 128
    save(tmp_path / "a.dcm", made)
    assert made.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (read_image(tmp_path, "a.dcm", ImageFacts(train="x", channels=1))[..., 0] == GREY).all()
