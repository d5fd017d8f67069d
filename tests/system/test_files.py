"""Files: atomic writing, checks of folders."""

import errno
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medfold.system import files
from tests.support.helpers import REPOSITORY, refused

SOURCE = REPOSITORY / "src"


def test_atomic_write_keeps_the_old_file_on_error(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail():
        with files.atomic_write(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_atomic_write_replaces_a_folder(tmp_path):
    path = tmp_path / "raw"
    path.mkdir()
    (path / "old").touch()
    with files.atomic_write(path) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert [file.name for file in path.iterdir()] == ["new"]
    assert [file.name for file in tmp_path.iterdir()] == ["raw"]


def test_next_process_removes_what_a_killed_one_left(tmp_path):
    """Files and folders; those of a living process, of another machine and of other programs stay, for a week."""
    other = files.temporary_path(tmp_path / "other.csv")  # of this process, which lives
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom medfold.system import files\n"
        "folder = Path(sys.argv[1])\n"
        "with files.atomic_write(folder / 'raw') as raw, files.atomic_write(folder / 'table.csv') as table:\n"
        "    raw.mkdir()\n"
        "    (raw / 'half').touch()\n"
        "    table.touch()\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    arguments = [sys.executable, "-c", script, tmp_path]
    assert subprocess.run(arguments, env=os.environ | {"PYTHONPATH": str(SOURCE)}).returncode == -9
    left = sorted(tmp_path.iterdir())
    assert [re.sub(r"\.[0-9a-f]{6}-\d+-[0-9a-f]{8}\.", ".", path.name) for path in left] == [
        ".raw.tmp",
        ".table.csv.tmp",
    ]

    week_old = [tmp_path / name for name in (".a.000000-1-01234567.tmp", ".theirs.tmp")]
    kept = [other, tmp_path / ".b.000000-1-01234567.tmp", week_old[1]]
    for path in (*kept, *week_old):
        path.touch()
    for path in week_old:
        os.utime(path, (0, time.time() - 8 * 24 * 3600))
    files._tidied_folders.discard(tmp_path)
    files.write_text("new", tmp_path / "note.txt")
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "note.txt"])


def test_private_text_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text("old")
    path.chmod(0o644)
    files.write_text("patient", path, private=True)
    assert path.read_text() == "patient"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_final_names_replace_temporary_ones(tmp_path):
    raw = files.temporary_path(tmp_path / "raw")
    member = files.temporary_path(raw / "train.zip")
    assert files.with_final_names(f"{member}: damaged") == f"{tmp_path / 'raw' / 'train.zip'}: damaged"
    assert files.with_final_names("a/.theirs.tmp and .b.csv.tmp") == "a/.theirs.tmp and .b.csv.tmp"


@pytest.mark.parametrize("count", [3, 60])
def test_atomic_write_syncs_contents_before_the_rename(tmp_path, monkeypatch, count):
    """Few files are synced one by one, many by one sync of the system; a link may be broken."""
    calls, replace = [], Path.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append("fsync"))
    monkeypatch.setattr(os, "sync", lambda: calls.append("sync"), raising=False)
    monkeypatch.setattr(Path, "replace", lambda path, target: [calls.append("rename"), replace(path, target)][1])
    with files.atomic_write(tmp_path / "raw") as folder:
        folder.mkdir()
        for number in range(count):
            (folder / f"{number}.png").write_bytes(b"x")
        (folder / "link").symlink_to("nowhere")
    assert calls == (["fsync"] * 4 if count == 3 else ["sync"]) + ["rename"]
    calls.clear()
    with files.atomic_write(tmp_path / "member", durable=False) as path:
        path.write_bytes(b"x")
    assert calls == ["rename"]


def test_check_folder_names_the_file_in_its_place(tmp_path):
    files.check_folder(tmp_path / "not yet" / "there")
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        for check in (files.check_folder, files.check_writable):
            with refused(r"file: a file is where a folder must be. Move it away$"):
                check(path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_folder_in_which_no_file_can_be_made_is_refused():
    with refused("/proc/none: no such file or folder. Check the path"):
        files.check_writable(Path("/proc/none"))


def unsupported(path):
    """The error of filelock where a disk has no locks."""
    return NotImplementedError("FileSystem does not appear to support flock; use SoftFileLock instead")


def os_error(number):
    return lambda path: OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (os_error(errno.EROFS), "read-only"),
        (os_error(errno.ENOSPC), "no disk space"),
        (os_error(errno.ENOLCK), "no file locks"),
        (os_error(errno.EACCES), "permission denied"),
        (unsupported, "no file locks"),
    ],
)
def test_check_writable_leaves_nothing_and_names_what_is_wrong(tmp_path, monkeypatch, error, message):
    def refuse(self):
        raise error(self.lock_file)

    monkeypatch.setattr(files.FileLock, "_acquire", refuse)
    with refused(message):
        files.check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_check_writable_leaves_nothing(tmp_path):
    files.check_writable(tmp_path / "not yet" / "there")
    assert list(tmp_path.iterdir()) == []
