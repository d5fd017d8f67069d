"""Tables read as text: separators, encodings, compression, surplus columns."""

import gzip
import sys

import pandas as pd
import pytest

from medfold.raw_files.text_tables import read_table
from medfold.system import limits
from tests.support.helpers import refused

ROWS = [["NA", "ä"], ["007", ""], ["1e5", "a b"]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", b"id,label\nNA,\xc3\xa4\n007,\n1e5,a b\n"),
        ("windows.csv", b"\xef\xbb\xbfid;label\r\nNA;\xc3\xa4\r\n007;\r\n1e5;a b\r\n"),
        ("old.csv", b"id;label\nNA;\xe4\n007;\n1e5;a b\n"),
        ("excel.csv", b"sep=;\r\nid;label\r\nNA;\xe4\r\n007;\r\n1e5;a b\r\n"),
        ("tabs.tsv", "id\tlabel\nNA\tä\n007\t\n1e5\ta b\n".encode("utf-16")),
        ("bars.txt", "id|label\nNA|ä\n007|\n1e5|a b\n".encode()),
        ("packed.csv.gz", gzip.compress("id,label\nNA,ä\n007,\n1e5,a b\n".encode(), mtime=0)),
        ("blanks.csv", "\n id , label \nNA,ä\n007,\n1e5,a b\n".encode()),
        ("surplus.csv", "id,label\nNA,ä,\n007,,\n1e5,a b,\n".encode()),
        ("some surplus.csv", "id,label\nNA,ä\n007,\n1e5,a b,\n".encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_read_table_detects_separator_and_encoding(tmp_path, capsys, name, content):
    (tmp_path / name).write_bytes(content)
    table = read_table(tmp_path / name, {"id": "labels.id", "label": "labels.targets"})
    assert table.to_numpy().tolist() == ROWS
    assert list(table.columns) == ["id", "label"]
    assert ("read as Windows-1252" in capsys.readouterr().out) is (name in ("old.csv", "excel.csv"))


def test_guessed_encoding_is_reported_once(tmp_path, capsys):
    (tmp_path / "old.csv").write_bytes(b"id;label\n1;\xe4\n")
    for _ in range(3):
        read_table(tmp_path / "old.csv", {})
    assert capsys.readouterr().out.count("Windows-1252") == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "not a readable table .it is empty"),
        ("picture.csv", bytes(range(256)), "not a text file"),
        ("zeros.csv", bytes(100), "not a text file"),
        ("cut.csv.gz", gzip.compress(b"id,label\n1,2\n" * 9, mtime=0)[:-6], "damaged"),
        ("other.csv.gz", b"id,label\n1,2\n", "damaged"),
        ("open.csv", b'id,label\n1,"x\n2,y\n', "row 2: a quote is opened and never closed"),
        ("names.csv", b"id,label\n1,2\n3,4,5\n", "row 3 has more columns than the header, 'id,label'"),
        ("long.csv", b'id,label\n1,2,\n3,"' + b"x" * 200_000 + b'"\n', "field larger than field limit"),
        ("other.csv", b"id;labels\n1;2\n", "no column 'label' .did you mean 'labels'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unreadable_table_raises_and_names_the_file(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with refused(message) as caught:
        read_table(tmp_path / name, {"id": "labels.id", "label": "labels.targets"})
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_surplus_separators_are_left_out_with_line_ends_of_old_spreadsheets(tmp_path):
    (tmp_path / "old.csv").write_bytes(b"id,label\r1,2,\r3,4,\r")
    assert read_table(tmp_path / "old.csv", {}).to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_column_of_bytes_in_parquet_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"id": [b"\xff"]}).to_parquet(tmp_path / "train.parquet")
    with refused(r"train\.parquet: not a readable table \(a column of bytes that are not text\)"):
        read_table(tmp_path / "train.parquet", {})


def test_column_name_can_contain_another_separator(tmp_path):
    (tmp_path / "x.csv").write_text("id,label(a;b;c)\n1,2\n")
    assert list(read_table(tmp_path / "x.csv", {}).columns) == ["id", "label(a;b;c)"]


def test_columns_of_equal_name_are_refused(tmp_path):
    (tmp_path / "x.csv").write_text("id, id\n1,2\n")
    with refused("two columns are called 'id'"):
        read_table(tmp_path / "x.csv", {})


@pytest.mark.parametrize("ending", ["csv.gz", "xlsx", "parquet"])
def test_decompression_bomb_is_refused(tmp_path, monkeypatch, ending):
    pytest.importorskip({"xlsx": "openpyxl", "parquet": "pyarrow"}.get(ending, "pandas"))
    monkeypatch.setattr(limits, "BOMB_BYTES", 2000)
    monkeypatch.setattr(limits, "BOMB_RATIO", 0.1 if ending == "xlsx" else 2)
    table = pd.DataFrame({"id": ["i"] * 20_000})
    file = tmp_path / f"bomb.{ending}"
    {"xlsx": table.to_excel, "parquet": table.to_parquet}.get(ending, table.to_csv)(file, index=False)
    with refused("unpacks to far more than a table of its size"):
        read_table(file, {})


@pytest.mark.parametrize(("ending", "package"), [("xlsx", "openpyxl"), ("parquet", "pyarrow")])
def test_excel_and_parquet_are_read_as_text(tmp_path, ending, package, monkeypatch):
    file = tmp_path / f"labels.{ending}"
    table = pd.DataFrame({"id": ["007", "NA"], " count ": [1, 2], "empty": [None, "x"]})
    (table.to_excel if ending == "xlsx" else table.to_parquet)(file, index=False)
    read = read_table(file, {"id": "labels.id", "count": "labels.targets"})
    assert read.to_numpy().tolist() == [["007", "1", ""], ["NA", "2", "x"]]
    assert read.columns.tolist() == ["id", "count", "empty"]
    with refused("no column 'idd' .did you mean 'id'"):
        read_table(file, {"idd": "labels.id"})
    with refused("no such file"):
        read_table(file.with_name(f"none.{ending}"), {})
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"id,label"):
        file.write_bytes(damaged)
        with refused("not a readable table .*Replace it with an undamaged copy, or correct the extension"):
            read_table(file, {})
    monkeypatch.setitem(sys.modules, package, None)
    with refused(f"reading the table needs the package {package}. Run: .* -m pip install .* save the table as CSV"):
        read_table(file, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,id\na,b\n", "two columns are called 'id'"),
        ("id,label\na,b,c,d,e\n", "row 2 has more columns than the header, 'id,label'"),
        ("id,label\na,b\nc,d,,\n", None),
    ],
)
def test_columns_beyond_the_header_are_refused_unless_empty(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    if message is None:
        assert read_table(tmp_path / "a.csv", {}).to_numpy().tolist() == [["a", "b"], ["c", "d"]]
    else:
        with refused(message):
            read_table(tmp_path / "a.csv", {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,target\na,0\n,1\n ,0\n", "x.csv: row 3, and 1 other row: 'id' is empty. Fill it in"),
        ("\n<!DOCTYPE html><html>log in</html>", "it is a web page, not a table. Download the file itself"),
        ('id,target\na,0\n"b,1\nc,0\n', "row 3: a quote is opened and never closed. Close the quote"),
    ],
)
def test_message_says_what_is_wrong_with_the_text(tmp_path, content, message):
    (tmp_path / "x.csv").write_text(content)
    with refused(message):
        read_table(tmp_path / "x.csv", {"id": "labels.id"})


@pytest.mark.parametrize(
    ("present", "hint"),
    [
        ("train.xlsx", "no such file .did you mean 'train.xlsx'"),
        ("deep/train.csv", "no such file, but there is 'deep/train.csv' .images.root: deep"),
        ("other.csv", "no such file .tables there: other.csv.. Check"),
        ("notes.md", "no such file. Check"),
    ],
)
def test_missing_table_is_looked_for_nearby(tmp_path, present, hint):
    (tmp_path / "deep").mkdir()
    (tmp_path / present).write_text("id")
    with refused(hint):
        read_table(tmp_path / "train.csv", {}, "labels.file")


def test_empty_rows_at_the_end_are_left_out_with_a_warning(tmp_path, capsys):
    (tmp_path / "x.csv").write_text("id,target\na,0\n,\nb,1\n,\n,\n")
    assert read_table(tmp_path / "x.csv", {})["id"].tolist() == ["a", "", "b"]
    assert "x.csv: 2 empty rows at the end left out" in capsys.readouterr().out
