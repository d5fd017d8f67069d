"""Sealed tables: made again if their inputs or contents have changed."""

import pandas as pd
import pytest

from medfold.tables import write_csv
from medfold.tables.sealed_tables import read_sealed_csv, read_unchanged_csv, write_sealed_csv
from tests.support.helpers import refused


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "x.csv"
    table = pd.DataFrame({"id": ["a", "b,c"], "pixel_hash": ["00ff", ""], "size": [3, 0.1]})
    write_sealed_csv(table, path, "inputs")
    return path


def test_sealed_table_is_read_back_without_its_origin(sealed):
    table = read_sealed_csv(sealed, "inputs")
    assert table.fillna("").to_numpy().tolist() == [["a", "00ff", 3], ["b,c", "", 0.1]]


def test_sealed_table_is_made_again_if_a_companion_changed(tmp_path, capsys):
    path, companion = tmp_path / "x.csv", tmp_path / "x.npy"
    companion.write_bytes(b"1")
    write_sealed_csv(pd.DataFrame({"id": ["a"]}), path, "inputs", [companion])
    assert read_sealed_csv(path, "inputs", [companion])["id"].tolist() == ["a"]
    companion.write_bytes(b"2")
    assert read_sealed_csv(path, "inputs", [companion]) is None
    assert "x.csv or x.npy has changed" in capsys.readouterr().out


def test_sealed_table_of_other_inputs_is_made_again_silently(sealed, capsys):
    assert read_sealed_csv(sealed, "others") is None
    assert read_sealed_csv(sealed.with_name("missing.csv"), "inputs") is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("00ff", "00fe"),
        lambda text: text[: text.rindex('"b,c"')],
        lambda text: text[:-8],
        lambda text: "",
        lambda text: text.replace("origin", "orgin"),
        lambda text: "\0\1\2" * 9,
    ],
)
def test_damaged_sealed_table_is_made_again_and_named(sealed, capsys, damage):
    sealed.write_text(damage(sealed.read_text()))
    assert read_sealed_csv(sealed, "inputs") is None
    assert "x.csv has changed" in capsys.readouterr().out


def test_table_of_an_earlier_version_has_no_hash_of_its_contents(tmp_path):
    path = tmp_path / "x.csv"
    write_csv(pd.DataFrame({"id": ["a"], "origin": ["inputs"]}), path)
    assert read_sealed_csv(path, "inputs")["id"].tolist() == ["a"]


def test_table_that_cannot_be_made_again_is_refused_if_changed(sealed):
    assert read_unchanged_csv(sealed, "inputs", "Draw it again").columns.tolist() == ["id", "pixel_hash", "size"]
    sealed.write_text(sealed.read_text().replace("00ff", "00fe"))
    with refused("changed since it was written.*Draw it again"):
        read_unchanged_csv(sealed, "inputs", "Draw it again")


def test_table_of_an_earlier_version_that_cannot_be_made_again_is_read(tmp_path):
    path = tmp_path / "x.csv"
    write_csv(pd.DataFrame({"id": ["a"]}), path)
    assert read_unchanged_csv(path, "inputs", "")["id"].tolist() == ["a"]
