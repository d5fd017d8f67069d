"""The list of raw files, by which missing or changed ones are found."""

import os

import pytest

from medfold.data import Source
from medfold.data.sources.manifest import list_raw_files, missing_files
from medfold.system.hashes import sha256
from medfold.tables import write_csv


def test_is_complete_checks_the_size_of_every_file(small):
    source = Source(small.facts.source, small.paths)
    assert not source.is_complete
    source.fetch()
    assert source.is_complete
    victim = small.paths.raw / "train.csv"
    victim.write_text(victim.read_text()[:-5])
    assert missing_files(small.paths) == ["train.csv"]


@pytest.fixture
def listed(small):
    """Two raw files and their manifest."""
    for name in ("train/a.png", "b.csv"):
        (small.paths.raw / name).parent.mkdir(parents=True, exist_ok=True)
        (small.paths.raw / name).write_bytes(name.encode())
    write_csv(list_raw_files(small.paths.raw), small.paths.raw_manifest)
    return small.paths


def test_files_are_listed_in_order_with_size_and_hash(listed):
    table = list_raw_files(listed.raw)
    assert table["file"].tolist() == ["b.csv", "train/a.png"]
    assert table["bytes"].tolist() == [5, 11]
    assert table["sha256"].tolist() == [sha256(listed.raw / name) for name in table["file"]]
    assert list_raw_files(listed.raw, hashed=False)["sha256"].tolist() == ["", ""]


def test_change_of_the_content_alone_is_found(listed):
    assert missing_files(listed) == []
    changed = listed.raw / "b.csv"
    changed.write_bytes(b"b.CSV")
    after = listed.raw_manifest.stat().st_mtime_ns + 10**9
    os.utime(changed, ns=(after, after))
    assert missing_files(listed) == ["b.csv"]


def test_only_files_modified_after_the_manifest_are_hashed(listed, monkeypatch):
    monkeypatch.setattr("medfold.data.sources.manifest.sha256", lambda path: pytest.fail(f"{path} was hashed"))
    before = listed.raw_manifest.stat().st_mtime_ns - 10**9
    for path in (listed.raw / "b.csv", listed.raw / "train" / "a.png"):
        os.utime(path, ns=(before, before))
    assert missing_files(listed) == []


def test_file_modified_but_equal_is_intact(listed):
    after = listed.raw_manifest.stat().st_mtime_ns + 10**9
    os.utime(listed.raw / "b.csv", ns=(after, after))
    assert missing_files(listed) == []


def test_missing_file_and_missing_or_old_manifest_are_named(listed):
    (listed.raw / "train" / "a.png").unlink()
    assert missing_files(listed) == ["train/a.png"]
    write_csv(list_raw_files(listed.raw).drop(columns="sha256"), listed.raw_manifest)  # as version 0.1 wrote it
    assert missing_files(listed) == [listed.raw_manifest.name]
    write_csv(list_raw_files(listed.raw).drop(columns="bytes"), listed.raw_manifest)
    assert missing_files(listed) == [listed.raw_manifest.name]
    listed.raw_manifest.unlink()
    assert missing_files(listed) == [listed.raw_manifest.name]
