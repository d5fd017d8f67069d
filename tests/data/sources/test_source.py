"""Sources: options, completeness, archives and folders given with FROM=, addresses, linked folders."""

import contextlib
import hashlib
import http.server
import threading
import zipfile
from functools import partial

import numpy as np
import pandas as pd
import pytest

from medfold.config import StrictModel
from medfold.data.sources import kinds
from medfold.data.sources.manifest import missing_files
from medfold.data.sources.source import Source, open_source
from medfold.errors import UserError
from tests.support.helpers import zipped


def with_source(project, **source):
    return Source(source, project.paths)


def test_unknown_kind_or_option_is_refused(small):
    with pytest.raises(UserError, match="unknown source.kind 'phantoms' .did you mean 'phantom'"):
        with_source(small, kind="phantoms")
    with pytest.raises(UserError, match="unknown key 'sead' .did you mean 'seed'"):
        with_source(small, kind="phantom", sead=3)


def test_is_complete_checks_the_size_of_every_file(small):
    source = Source(small.competition.source, small.paths)
    assert not source.is_complete
    source.get()
    assert source.is_complete
    victim = small.paths.raw / "train.csv"
    victim.write_text(victim.read_text()[:-5])
    assert missing_files(small.paths) == ["train.csv"]


def test_failed_fetch_keeps_the_old_data(small, monkeypatch):
    source = Source(small.competition.source, small.paths)
    source.get()

    def broken(options, into):
        (into.raw / "half.png").touch()
        raise UserError("cut off")

    monkeypatch.setattr("medfold.data.sources.phantom.fetch", broken)
    with pytest.raises(UserError):
        source.get()
    assert source.is_complete
    assert not list(small.paths.data.glob("**/half.png"))
    assert not list(small.paths.data.glob(".raw*.tmp"))


def test_source_of_plugins_fetches_and_accepts_from(small, tmp_path, monkeypatch):
    class Options(StrictModel):
        kind: str

    def fetch(options, folders):
        (folders.raw / f"{options.kind}.csv").write_text("id\na\n")

    monkeypatch.setitem(kinds.SOURCES._plugged, "hospital", kinds.PluginKind(Options, fetch))
    hospital = with_source(small, kind="hospital")
    assert hospital.get()["file"].tolist() == ["hospital.csv"]
    assert hospital.finding_positions() is None
    (tmp_path / "own.csv").write_text("id\nb\n")
    assert hospital.get(tmp_path / "own.csv")["file"].tolist() == ["own.csv"]


def test_phantom_refuses_from(small, tmp_path):
    with pytest.raises(UserError, match="Leave FROM out"):
        Source(small.competition.source, small.paths).get(tmp_path)


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "some archive.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("set/train/a.txt", "a" * 1000)
        file.writestr("set/b.txt", "b")
    return path


def test_from_accepts_an_archive_or_its_folder(small, archive, tmp_path):
    source = with_source(small, kind="kaggle-dataset", slug="a/b")
    manifest = source.get(archive)
    assert manifest[["file", "bytes"]].to_numpy().tolist() == [["set/b.txt", 1], ["set/train/a.txt", 1000]]
    assert manifest["sha256"][0] == hashlib.sha256(b"b").hexdigest()
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "unpacked")
    pd.testing.assert_frame_equal(source.get(tmp_path / "unpacked"), manifest)
    with pytest.raises(UserError, match="no such file or folder"):
        source.get(tmp_path / "nowhere.zip")


def test_damaged_archive_raises(small, archive):
    source = with_source(small, kind="kaggle-dataset", slug="a/b")
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="damaged archive .*Download it again"):
        source.get(archive)
    archive.write_bytes(whole.replace(b"aaaa", b"aaba", 1))
    with pytest.raises(UserError, match="damaged archive"):
        source.get(archive)
    assert not small.paths.raw.exists()


@contextlib.contextmanager
def serve(folder):
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *arguments: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
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
        assert source.get()["file"].tolist() == ["data.npz"]
        assert (small.paths.raw / "data.npz").read_bytes() == (served / "x.npz").read_bytes()
        with pytest.raises(UserError, match="md5 of the download differs from that in competition.yaml"):
            with_source(small, kind="url", url=f"{address}/x.npz", file="data.npz", md5="0" * 32).get()
        with pytest.raises(UserError, match="failed: the server returned 404.*FROM=data.npz"):
            with_source(small, kind="url", url=f"{address}/gone.npz", file="data.npz", md5=md5).get()
    monkeypatch.setattr("medfold.http_download.wait", lambda seconds: None)
    with pytest.raises(UserError, match="download of data.npz failed: .*FROM=data.npz"):
        with_source(small, kind="url", url=f"{address}/x.npz", file="data.npz", md5=md5).get()
    assert source.is_complete


def test_other_md5_of_a_given_file_is_a_note(small, tmp_path, capsys):
    given = tmp_path / "data (1).npz"
    np.savez(given, images=np.arange(4))
    source = with_source(small, kind="url", url="http://127.0.0.1:9/x", file="data.npz", md5="0" * 32)
    assert source.get(given)["file"].tolist() == ["data.npz"]
    assert "is not that of the official file" in capsys.readouterr().out


def test_mounted_folder_is_linked_and_its_archives_unpacked(small, tmp_path):
    mounted = tmp_path / "mounted"
    (mounted / "deep" / "deeper").mkdir(parents=True)
    (mounted / "deep" / "deeper" / "a.png").write_bytes(b"a")
    (mounted / "train.zip").write_bytes(zipped({"b.png": b"b"}))
    open_source(small).link(mounted)
    raw, manifest = small.paths.raw, pd.read_csv(small.paths.raw_manifest, keep_default_na=False)
    assert manifest["file"].tolist() == ["deep/deeper/a.png", "train/b.png"]
    assert manifest["bytes"].tolist() == [1, 1]
    assert set(manifest["sha256"]) == {""}  # linked files are not read
    assert (raw / "deep" / "deeper" / "a.png").is_symlink()
    assert (raw / "train" / "b.png").read_bytes() == b"b"
    assert (mounted / "train.zip").is_file()
    assert open_source(small).is_complete


def test_given_folder_is_hard_linked_not_copied(small, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    with_source(small, kind="kaggle-dataset", slug="a/b").get(folder)
    assert (small.paths.raw / "a.txt").stat().st_ino == (folder / "a.txt").stat().st_ino


def test_file_beside_its_archive_is_used_and_not_overwritten(small, tmp_path, capsys):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.csv").write_text("corrected by hand")
    (folder / "train.csv.zip").write_bytes(zipped({"train.csv": b"as it came"}))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for fill in (with_source(small, kind="kaggle-dataset", slug="a/b").get, open_source(small).link):
        fill(folder)
        assert (small.paths.raw / "train.csv").read_text() == "corrected by hand"
        assert sorted(path.name for path in small.paths.raw.iterdir()) == ["train.csv"]
        assert "train.csv.zip exists already with other contents" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
