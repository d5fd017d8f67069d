"""Download of one file by its address."""

import contextlib
import hashlib
import http.server
import threading
from functools import partial

import numpy as np

from tests.support.helpers import refused
from tests.support.sources import with_source


@contextlib.contextmanager
def serve(folder):
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *arguments: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_url_downloads_and_checks_the_md5(small, tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    served = tmp_path / "served"
    served.mkdir()
    np.savez(served / "x.npz", images=np.arange(4))
    md5 = hashlib.md5((served / "x.npz").read_bytes()).hexdigest()
    with serve(served) as address:
        source = with_source(small, kind="url", url=f"{address}/x.npz", file="data.npz", md5=md5)
        assert source.fetch()["file"].tolist() == ["data.npz"]
        assert (small.paths.raw / "data.npz").read_bytes() == (served / "x.npz").read_bytes()
        with refused("md5 of the download differs from that in competition.yaml"):
            with_source(small, kind="url", url=f"{address}/x.npz", file="data.npz", md5="0" * 32).fetch()
        with refused("failed: the server returned 404.*FROM=data.npz"):
            with_source(small, kind="url", url=f"{address}/gone.npz", file="data.npz", md5=md5).fetch()
    monkeypatch.setattr("medfold.system.waiting.pause", lambda seconds: None)
    with refused("download of data.npz failed: .*FROM=data.npz"):
        with_source(small, kind="url", url=f"{address}/x.npz", file="data.npz", md5=md5).fetch()
    assert source.is_complete


def test_other_md5_of_a_given_file_is_a_note(small, tmp_path, capsys):
    given = tmp_path / "data (1).npz"
    np.savez(given, images=np.arange(4))
    source = with_source(small, kind="url", url="http://127.0.0.1:9/x", file="data.npz", md5="0" * 32)
    assert source.copy_from(given)["file"].tolist() == ["data.npz"]
    assert "is not that of the official file" in capsys.readouterr().out
