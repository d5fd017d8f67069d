"""Kinds of sources, also those of plugins.py."""

from medfold.config import StrictModel
from medfold.data.sources import kinds
from tests.support.sources import with_source


def test_source_of_plugins_fetches_and_accepts_from(small, tmp_path, monkeypatch):
    class Options(StrictModel):
        kind: str

    def fetch(options, folders):
        (folders.raw / f"{options.kind}.csv").write_text("id\na\n")

    monkeypatch.setitem(kinds.SOURCES._plugged, "hospital", kinds.SourceKind(Options, fetch))
    hospital = with_source(small, kind="hospital")
    assert hospital.get()["file"].tolist() == ["hospital.csv"]
    assert hospital.finding_positions() is None
    (tmp_path / "own.csv").write_text("id\nb\n")
    assert hospital.get(tmp_path / "own.csv")["file"].tolist() == ["own.csv"]
