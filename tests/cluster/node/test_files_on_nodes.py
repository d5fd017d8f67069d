"""Files for nodes: shared, or copied part by part; Ray's calls are imitated, real ones are in test_two_nodes."""

import os

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from medfold.cluster.node import files_on_nodes
from medfold.cluster.node.files_on_nodes import FileServer, SharedFile, cache_folder, fetch, send_file
from medfold.cluster.node.messages import CHECKPOINT, CopyProgress, Heartbeat
from tests.support.helpers import refused


class Remote:
    """Calls a method at once, as a handle of Ray would later."""

    def __init__(self, method, calls):
        self._method, self._calls = method, calls

    def remote(self, *arguments):
        self._calls.append(self._method.__name__)
        return self._method(*arguments)


class Handle:
    """A handle of the FileServer on another machine."""

    def __init__(self, server):
        self.calls = []
        self.sha256, self.read = Remote(server.sha256, self.calls), Remote(server.read, self.calls)


@pytest.fixture
def another_machine(monkeypatch, tmp_path):
    """This machine does not see the files of the driver's; its cache is empty."""
    monkeypatch.setattr(files_on_nodes.ray, "wait", lambda references, timeout: (references, []))
    monkeypatch.setattr(files_on_nodes.ray, "get", lambda reference: reference)
    monkeypatch.setattr(files_on_nodes, "PART_BYTES", 10)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    seen_by_server = SharedFile.is_here
    checked = FileServer.checked_path

    def checked_there(self, file):
        with pytest.MonkeyPatch.context() as there:
            there.setattr(SharedFile, "is_here", seen_by_server)
            return checked(self, file)

    monkeypatch.setattr(FileServer, "checked_path", checked_there)
    monkeypatch.setattr(SharedFile, "is_here", lambda self: False)


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "images.npy"
    path.write_bytes(bytes(range(95)))
    return path


def result_of(generator):
    messages = []
    while True:
        try:
            messages.append(next(generator))
        except StopIteration as finished:
            return finished.value, messages


def test_shared_file_is_not_copied(original):
    file = SharedFile.of(original)
    assert result_of(fetch(None, file)) == (original, [])


def test_file_of_another_time_or_size_is_not_the_shared_one(original):
    file = SharedFile.of(original)
    os.utime(original, ns=(1, file.changed + 1))
    assert not file.is_here()
    original.write_bytes(b"other")
    os.utime(original, ns=(1, file.changed))
    assert not file.is_here()


@pytest.mark.parametrize("size", [0, 1, 10, 95, 100])
def test_copy_is_made_once_and_equal(another_machine, original, size):
    original.write_bytes(bytes(range(size)))
    file = SharedFile.of(original)
    handle = Handle(FileServer([file]))
    copy, messages = result_of(fetch(handle, file))
    assert copy.read_bytes() == bytes(range(size))
    assert copy.parent == cache_folder()
    assert handle.calls == ["sha256", *["read"] * -(-size // 10)]
    expected = [CopyProgress(f"images.npy: {size} B of {size} B copied")] if size else []
    assert [message for message in messages if message != Heartbeat()][-1:] == expected
    handle.calls.clear()
    assert result_of(fetch(handle, file))[0] == copy
    assert handle.calls == ["sha256"]


def test_damaged_copy_is_refused_and_removed(another_machine, original, monkeypatch):
    file = SharedFile.of(original)
    server = FileServer([file])
    read = server.read
    monkeypatch.setattr(server, "read", lambda file, offset: read(file, offset).replace(b"\x07", b"\x08"))
    server.read.__name__ = "read"
    with refused("images.npy was damaged on its way"):
        result_of(fetch(Handle(server), file))
    assert [path.name for path in cache_folder().iterdir() if not path.name.endswith(".lock")] == []


def test_full_disk_is_reported_before_the_copy(another_machine, original, monkeypatch):
    monkeypatch.setattr(files_on_nodes.shutil, "disk_usage", lambda path: _Usage)
    with refused("50 B free on the disk of this node, images.npy needs 95 B"):
        result_of(fetch(Handle(FileServer([SharedFile.of(original)])), SharedFile.of(original)))


class _Usage:
    free = 50


def test_server_reads_no_other_file(original, tmp_path):
    server = FileServer([SharedFile.of(original)], str(tmp_path / "raw"))
    (tmp_path / "raw").mkdir()
    (tmp_path / "secret").write_text("token")
    (tmp_path / "raw" / "a.png").write_bytes(b"pixels")
    assert server.read(SharedFile.of(tmp_path / "raw" / "a.png"), 0) == b"pixels"
    for path in (tmp_path / "secret", tmp_path / "raw" / ".." / "secret"):
        file = SharedFile(str(path), 5, path.stat().st_mtime_ns)
        with refused("a node asked for a file that it is not given"):
            server.read(file, 0)
        with refused("a node asked for a file that it is not given"):
            server.sha256(file)


def test_file_that_changes_meanwhile_is_refused(original):
    file = SharedFile.of(original)
    server = FileServer([file])
    original.write_bytes(b"other")
    with refused("changed while nodes were working with it"):
        server.read(file, 0)


@pytest.mark.parametrize("size", [0, 1, 10, 25])
def test_file_is_sent_in_parts(tmp_path, monkeypatch, size):
    monkeypatch.setattr(files_on_nodes, "PART_BYTES", 10)
    path = tmp_path / "state"
    path.write_bytes(bytes(range(size)))
    messages = list(send_file(CHECKPOINT, path))
    assert b"".join(message.content for message in messages) == bytes(range(size))
    assert [message.is_last for message in messages] == [False] * (len(messages) - 1) + [True]
    assert {message.kind for message in messages} == {CHECKPOINT}
