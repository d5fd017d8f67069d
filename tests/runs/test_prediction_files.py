"""Files of tables of predictions: CSV, and .npz of many columns."""

import numpy as np
import pandas as pd
import pytest

from medfold.errors import UserError
from medfold.runs.prediction_files import MAX_CSV_COLUMNS, read_prediction_table, write_prediction_table
from medfold.tables import csv_text


def table_of(num_columns, dtype=np.float32, ids=("01", "b", "true")):
    numbers = np.random.default_rng(0).random((len(ids), num_columns), dtype=np.float64).astype(dtype)
    table = pd.DataFrame(numbers, columns=[f"class_{number}" for number in range(num_columns)])
    table.insert(0, "fold", 2)
    table.insert(0, "id", pd.Series(ids, dtype=str))
    return table


def test_few_columns_are_a_csv_file(tmp_path):
    table = table_of(MAX_CSV_COLUMNS)
    path = write_prediction_table(table, tmp_path / "oof.csv")
    assert path == tmp_path / "oof.csv"
    assert path.read_text() == csv_text(table)
    assert read_prediction_table(path)["id"].tolist() == ["01", "b", "true"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_columns_are_an_npz_file_with_the_same_numbers(tmp_path, dtype):
    table = table_of(MAX_CSV_COLUMNS + 1, dtype)
    path = write_prediction_table(table, tmp_path / "oof.csv")
    assert path == tmp_path / "oof.npz"
    pd.testing.assert_frame_equal(
        read_prediction_table(path), table.astype(dict.fromkeys(table.columns[2:], np.float64))
    )
    with np.load(path) as content:
        assert content["numbers"].dtype == dtype


def test_read_types_are_those_of_a_csv_file(tmp_path):
    table = table_of(MAX_CSV_COLUMNS + 1)
    (tmp_path / "oof.csv").write_text(csv_text(table))
    as_csv = read_prediction_table(tmp_path / "oof.csv")
    pd.testing.assert_frame_equal(
        read_prediction_table(write_prediction_table(table, tmp_path / "oof.npz")), as_csv, rtol=1e-8
    )


def test_a_table_of_the_other_format_is_replaced(tmp_path):
    write_prediction_table(table_of(3), tmp_path / "oof.csv")
    write_prediction_table(table_of(MAX_CSV_COLUMNS + 1), tmp_path / "oof.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["oof.npz"]
    write_prediction_table(table_of(3), tmp_path / "oof.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["oof.csv"]


def test_equal_tables_give_equal_bytes(tmp_path):
    first, second = (
        write_prediction_table(table_of(MAX_CSV_COLUMNS + 1), tmp_path / name).read_bytes()
        for name in ("a.csv", "b.csv")
    )
    assert first == second


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-200], lambda data: data[:900] + b"x" + data[901:], lambda _: b""]
)
def test_damaged_file_is_refused(tmp_path, damage):
    path = write_prediction_table(table_of(MAX_CSV_COLUMNS + 1), tmp_path / "oof.csv")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match="damaged"):
        read_prediction_table(path)
