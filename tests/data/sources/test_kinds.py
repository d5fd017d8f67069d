"""Kinds of sources, also those of plugins.py."""

import pytest

from medfold.config import StrictModel
from medfold.data.sources import kinds
from medfold.kaggle import AttachedData
from medfold.registry import Registry, set_plugin_loader
from tests.support.sources import with_source


def test_source_of_plugins_fetches_and_accepts_from(small, tmp_path):
    class Options(StrictModel):
        kind: str

    def fetch(options, folders):
        (folders.raw / f"{options.kind}.csv").write_text("id\na\n")

    set_plugin_loader(lambda: kinds.SOURCES.register("hospital", kinds.SourceKind(Options, fetch), "plugins"))
    hospital = with_source(small, kind="hospital")
    assert hospital.fetch()["file"].tolist() == ["hospital.csv"]
    assert hospital.finding_positions() is None
    (tmp_path / "own.csv").write_text("id\nb\n")
    assert hospital.copy_from(tmp_path / "own.csv")["file"].tolist() == ["own.csv"]


@pytest.mark.parametrize("kind", ["kaggle", "kaggle_dataset", "own", "phantom", "url"])
def test_every_built_in_kind_has_its_settings_and_functions(kind):
    assert kinds.SOURCES.is_built_in(kind)
    built_in = kinds.SOURCES[kind]
    assert "kind" in built_in.schema.model_fields
    assert callable(built_in.fetch)
    assert callable(built_in.accept)
    assert (built_in.single_files is not None) is (kind in ("kaggle", "kaggle_dataset"))
    assert (built_in.finding_positions is not None) is (kind == "phantom")
    assert built_in.is_embedded is (kind == "phantom")
    assert built_in.has_address is (kind != "own")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"kind": "kaggle", "slug": "histology"}, AttachedData(competition="histology")),
        ({"kind": "kaggle_dataset", "slug": "carol/nodules"}, AttachedData(datasets=["carol/nodules"])),
        ({"kind": "phantom"}, None),
        ({"kind": "own"}, None),
    ],
    ids=["kaggle", "kaggle_dataset", "phantom", "own"],
)
def test_source_says_what_a_notebook_attaches(small, source, expected):
    assert with_source(small, **source).on_kaggle() == expected


def test_decorated_function_becomes_a_kind(monkeypatch, tmp_path):
    monkeypatch.setattr(kinds, "SOURCES", Registry("source"))

    class Options(StrictModel):
        kind: str

    @kinds.source("hospital", Options)
    def fetch(options, folders):
        """Fills nothing."""

    made = kinds.SOURCES["hospital"]
    assert (made.schema, made.fetch) == (Options, fetch)
    assert made.accept(Options(kind="hospital"), tmp_path / "a.zip") == "a.zip"
