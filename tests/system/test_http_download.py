"""Downloads through every fault, from an imitated storage on 127.0.0.1."""

import base64
import contextlib
import gzip
import hashlib
import os
import socket
import threading

import pytest
import requests

from medfold.system import http_download, json_files
from tests.support.helpers import refused
from tests.support.kaggle_server import drop, stall, status

CONTENT = bytes(range(256)) * 4000  # 1 MB


@pytest.fixture
def get(kaggle, tmp_path):
    """A function that downloads `content` from a new signed address and returns the file."""

    def fetch(content=CONTENT, contents=0):
        target = tmp_path / "folder" / "archive.zip"
        session = requests.Session()
        http_download.download_file(
            lambda: session.get(kaggle.signed("a.zip", content), stream=True, timeout=5), target, contents
        )
        assert sorted(path.name for path in target.parent.iterdir()) == ["archive.zip"]
        return target

    return fetch


def ranges(kaggle):
    return [headers.get("Range") for where, headers in kaggle.log if where == "storage"]


def test_download_writes_the_whole_file(get, kaggle):
    assert get().read_bytes() == CONTENT
    assert kaggle.waits == []


def test_dropped_connection_resumes_where_it_broke(get, kaggle):
    kaggle.fault("storage", drop(after=300_000), None, drop(after=100_000))
    assert get().read_bytes() == CONTENT
    first, second = (int(each.removeprefix("bytes=").rstrip("-")) for each in ranges(kaggle) if each)
    assert 0 < first < second < len(CONTENT)
    assert "connection lost" in kaggle.said()


def test_expired_address_keeps_the_downloaded_bytes(get, kaggle):
    kaggle.fault("storage", drop(after=300_000), None, status(403))
    assert get().read_bytes() == CONTENT
    kept = [each for each in ranges(kaggle) if each]
    assert len(kept) == 2
    assert kept[0] == kept[1] != "bytes=0-"
    assert "the address has expired" in kaggle.said()


def test_stalled_download_is_resumed(get, kaggle, monkeypatch):
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 0.3))
    kaggle.fault("storage", drop(after=200_000), None, stall(2, after=200_000))
    assert get().read_bytes() == CONTENT
    assert "no answer for 0.3 s" in kaggle.said()


@pytest.mark.parametrize("code", [429, 500, 503])
def test_busy_server_is_retried(get, kaggle, code):
    kaggle.fault("storage", status(code), status(code, Retry_After="7"))
    assert get().read_bytes() == CONTENT
    assert 1 < kaggle.waits[0] < 3
    assert kaggle.waits[1] == 7


def test_retry_after_is_limited(get, kaggle):
    kaggle.fault("storage", status(503, Retry_After="86400"))
    get()
    assert kaggle.waits == [http_download.MAX_WAIT_SECONDS]


def test_repeated_failures_raise_and_keep_the_part(get, kaggle, tmp_path):
    kaggle.fault("storage", drop(after=300_000), *[status(503)] * http_download.MAX_FAILURES)
    with refused("archive.zip failed: the server returned 503.*are saved; run the same command"):
        get()
    part = tmp_path / "folder" / "archive.zip.part"
    assert CONTENT.startswith(part.read_bytes())
    assert part.stat().st_size > 200_000
    num_saved = part.stat().st_size
    kaggle.log.clear()
    assert get().read_bytes() == CONTENT  # the next run
    assert ranges(kaggle)[-1] == f"bytes={num_saved}-"


def test_status_404_raises_without_retry(get, kaggle):
    kaggle.fault("storage", status(404))
    with refused("failed: the server returned 404"):
        get()
    assert kaggle.waits == []


def test_changed_file_is_downloaded_from_the_start(get, kaggle):
    kaggle.fault("storage", drop(after=300_000), *[status(503)] * http_download.MAX_FAILURES)
    with refused("failed: the server returned 503"):
        get()
    renewed = CONTENT[::-1]
    assert get(renewed).read_bytes() == renewed


def test_range_of_a_changed_file_is_discarded(get, kaggle):
    def swapped(handler, answer):
        kaggle.blobs["a.zip"] = CONTENT[::-1]
        answer()

    kaggle.fault("storage", drop(after=300_000), None, swapped)
    assert get().read_bytes() == CONTENT
    assert "the server sent something other than the rest of the file" in kaggle.said()


@pytest.fixture
def no_md5(monkeypatch):
    """A storage that sends no MD5, so that only size and entity tag identify the file."""
    monkeypatch.setattr(http_download, "md5_of_response", lambda answer: None)


@pytest.mark.parametrize("page", [b"<html>sorry</html>", b"x" * 300_001, b""])
def test_page_instead_of_the_rest_is_not_written(get, kaggle, no_md5, page):
    kaggle.fault("storage", drop(after=300_000), None, lambda handler, answer: handler.answer(200, page, {}))
    assert get().read_bytes() == CONTENT


def test_part_that_is_too_long_is_discarded(get, kaggle, no_md5, tmp_path):
    kaggle.fault("storage", drop(after=300_000), *[status(503)] * http_download.MAX_FAILURES)
    with refused("failed: the server returned 503"):
        get()
    (tmp_path / "folder" / "archive.zip.part").write_bytes(CONTENT + b"more")
    assert get().read_bytes() == CONTENT


def test_refused_range_restarts_the_download(get, kaggle, no_md5):
    kaggle.fault("storage", drop(after=300_000), None, status(416))
    assert get().read_bytes() == CONTENT


def test_gzip_content_encoding_is_decoded(get, kaggle):
    packed = gzip.compress(CONTENT)
    md5 = base64.b64encode(hashlib.md5(packed).digest()).decode()
    headers = {"Content-Encoding": "gzip", "x-goog-hash": f"md5={md5}", "ETag": '"1"', "Accept-Ranges": "bytes"}
    kaggle.fault("storage", lambda handler, answer: handler.answer(200, packed, headers))
    assert get().read_bytes() == CONTENT


def test_part_of_wrong_content_is_downloaded_again(get, kaggle, tmp_path):
    """A part that was damaged on the disk has the right size and wrong content."""
    kaggle.fault("storage", drop(after=300_000), *[status(503)] * http_download.MAX_FAILURES)
    with refused("failed: the server returned 503"):
        get()
    part = tmp_path / "folder" / "archive.zip.part"
    part.write_bytes(b"x" * part.stat().st_size)
    assert get().read_bytes() == CONTENT
    assert "was damaged in transfer" in kaggle.said()


def test_server_without_ranges_restarts_the_download(kaggle, tmp_path):
    kaggle.fault("storage", drop(after=300_000))
    session = requests.Session()

    def fresh():
        answer = session.get(kaggle.signed("a.zip", CONTENT), stream=True, timeout=5)
        del answer.headers["Accept-Ranges"]
        return answer

    http_download.download_file(fresh, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert set(ranges(kaggle)) == {None}


def test_too_little_disk_space_raises_before_download(get, kaggle, monkeypatch):
    monkeypatch.setattr(http_download.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1_500_000}))
    with refused(r"too little disk space: 2.05 MB needed .*, 1.5 MB free"):
        get(contents=1.0)
    assert get(contents=0.0).read_bytes() == CONTENT


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, which Linux has")  # noqa: PTH110
def test_disk_that_fills_up_is_reported(get, kaggle, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "archive.zip.part").symlink_to("/dev/full")
    identity = {"same": f'"{hashlib.md5(CONTENT).hexdigest()}"', "bytes": len(CONTENT)}
    json_files.write(identity, folder / "archive.zip.part.json")
    with refused("cannot write: there is no disk space left. Free some space, and run the same command again"):
        get()


def test_failure_reason_hides_the_address(kaggle):
    kaggle.fault("storage", status(403))
    answer = requests.get(kaggle.signed("a", b""), timeout=5)
    error = requests.HTTPError(f"403 for url {answer.url}", response=answer)
    assert http_download.failure_reason(error) == "the server returned 403 Forbidden"
    assert "Signature" not in http_download.failure_reason(
        requests.ConnectionError(f"Connection to {answer.url} aborted")
    )


def test_finished_part_is_not_downloaded_again(get, kaggle, tmp_path):
    get()
    target = tmp_path / "folder" / "archive.zip"
    identity = {"same": f'"{http_download.md5_of_file(target)}"', "bytes": len(CONTENT)}
    target.rename(target.with_name("archive.zip.part"))
    json_files.write(identity, target.with_name("archive.zip.part.json"))
    kaggle.log.clear()
    assert get().read_bytes() == CONTENT
    assert ranges(kaggle) == [None]  # only its headers were requested


@contextlib.contextmanager
def answering(response: bytes):
    """A server on 127.0.0.1 that sends these bytes to whoever connects; gives its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(1 << 16)
                        connection.sendall(response)

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/a.zip"


@pytest.fixture
def download_raw(tmp_path, monkeypatch):
    """A function that downloads from a server which sends these bytes, and returns what is in the file."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(http_download.waiting, "pause", lambda seconds: None)

    def download(response: bytes) -> bytes:
        with answering(response) as address:
            http_download.download_file(lambda: http_download.open_stream(address), tmp_path / "a.zip")
        return (tmp_path / "a.zip").read_bytes()

    return download


OK = b"HTTP/1.1 200 OK\r\n"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: "


@pytest.mark.parametrize(
    "response",
    [
        OK + b"Content-Length: 5, 6\r\n\r\nabcde",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc",
        OK + b"Content-Length: 3\r\nx-goog-hash: md5=YQ\r\n\r\nabc",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc",
        OK + b"X: " + b"a" * 100_000 + b"\r\n\r\nabc",
        MOVED + b"http://[bad\r\n\r\n",
        MOVED + b"http://127.0.0.1:999999/\r\n\r\n",
        MOVED + b"http://a\x01b/\xff\r\n\r\n",
        MOVED + b"file:///etc/passwd\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"",
    ],
)
def test_malformed_response_is_an_error_in_one_line(download_raw, response):
    with refused("download of a.zip failed: ") as caught:
        download_raw(response)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [b"abc", b"-5", b"5, 5", "²".encode("latin1")])
def test_length_that_is_no_number_counts_as_unknown(download_raw, length):
    assert download_raw(OK + b"Content-Length: " + length + b"\r\n\r\nabcde") == b"abcde"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_file_of_unknown_size_may_take_half_of_the_free_space(download_raw, monkeypatch, tmp_path, encoding):
    body = gzip.compress(CONTENT, mtime=0) if encoding == "gzip" else CONTENT
    response = OK + f"Content-Encoding: {encoding}\r\n\r\n".encode() + body
    monkeypatch.setattr(http_download.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2 * len(CONTENT)}))
    assert download_raw(response) == CONTENT
    monkeypatch.setattr(http_download.shutil, "disk_usage", lambda path: type("Usage", (), {"free": len(CONTENT)}))
    with refused(r"larger than half of the free disk .512 kB., and the server does not say how large"):
        download_raw(response)
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
