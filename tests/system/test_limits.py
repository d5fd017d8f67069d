"""Limits of memory and time, and the ratio by which a decompression bomb is told from a data set."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from medfold.system.limits import BOMB_BYTES, BOMB_RATIO, is_bomb, zip_contents_bytes

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts and limits private memory")

TAKE = """
import numpy as np
from medfold.system.limits import allow_memory, memory_limit
MB = 10**6
with memory_limit(100 * MB):
    {inner}
np.ones(400 * MB, np.uint8)
print("and later without a limit")
"""


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.slow
@needs_linux
@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ("np.ones(50 * MB, np.uint8); print('enough')", "enough"),
        ("\n    try: np.ones(300 * MB, np.uint8)\n    except MemoryError: print('refused')", "refused"),
        ("allow_memory(400 * MB); np.ones(300 * MB, np.uint8); print('allowed')", "allowed"),
    ],
    ids=["below", "above", "raised"],
)
def test_memory_beyond_the_limit_is_refused_within_the_block_only(inner, said):
    ended = run(TAKE.format(inner=inner))
    assert ended.stdout.split("\n")[:2] == [said, "and later without a limit"], ended.stderr


@needs_linux
def test_allowed_memory_sets_no_limit_where_there_is_none():
    assert "done" in run("from medfold.system.limits import *; allow_memory(1); bytearray(10**8); print('done')").stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarm")
def test_process_ends_when_the_time_is_over_but_not_later():
    code = "import time; from medfold.system.limits import *\nwith ended_after(1): {}\n{}; print('went on')"
    assert run(code.format("pass", "time.sleep(1.2)")).stdout == "went on\n"
    ended = run(code.format("time.sleep(60)", "pass"))
    assert (ended.returncode, ended.stdout) == (-14, "")  # SIGALRM


def test_bombs_are_distinguished_from_data_by_ratio_and_size():
    assert is_bomb(10**6, BOMB_BYTES + 1)
    assert not is_bomb(10**6, BOMB_BYTES)
    assert not is_bomb(10**9, BOMB_RATIO * 10**9)
    assert is_bomb(10**9, BOMB_RATIO * 10**9 + 1)


def test_size_of_arrays_is_what_they_declare(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(10**6, np.uint8), y=np.zeros(5, np.uint8))
    assert 10**6 + 5 < zip_contents_bytes(tmp_path / "a.npz") < 10**6 + 1000
    monkeypatch.setattr("medfold.system.limits.BOMB_BYTES", 10**5)
    with pytest.raises(ValueError, match=r"declares contents of 0\.0 GB, but has 0\.0 MB"):
        zip_contents_bytes(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"noise")
    with pytest.raises(zipfile.BadZipFile):
        zip_contents_bytes(tmp_path / "b.npz")
