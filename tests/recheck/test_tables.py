"""Labels, predictions and submissions, read with pandas alone."""

import numpy as np
import pandas as pd
import pytest

from medfold.recheck import tables
from tests.support.helpers import competition_facts, refused

UNITS = pd.Series(["u", "v", "u"])


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b'id\n"a', "Error tokenizing data"), (b"id\n\xff", "'utf-8' codec")]
)
def test_damaged_table_is_named(tmp_path, content, reason):
    path = tmp_path / "oof.csv"
    path.write_bytes(content)
    with refused(rf"oof\.csv: damaged \({reason}.*\)\. Restore it from a backup$"):
        tables.read(path)


def test_labels_become_a_column_of_0_and_1_per_prediction_column():
    grades = pd.DataFrame({"target": ["2", "0"]})
    assert tables.label_matrix(competition_facts("ordinal"), grades).tolist() == [[0, 0, 1], [1, 0, 0]]
    findings = pd.DataFrame({"a": ["1", "0"], "b": ["1", "1"]})
    assert tables.label_matrix(competition_facts("multilabel"), findings).tolist() == [[1, 1], [0, 1]]


def test_unit_has_the_highest_class_or_every_label_of_its_samples():
    units, labels = tables.by_unit(competition_facts("ordinal"), UNITS, np.eye(3, dtype=int)[[0, 1, 2]])
    assert (units, labels.tolist()) == (["u", "v"], [[0, 0, 1], [0, 1, 0]])
    units, labels = tables.by_unit(competition_facts("multilabel"), UNITS, np.array([[1, 0], [0, 0], [0, 1]]))
    assert (units, labels.tolist()) == (["u", "v"], [[1, 1], [0, 0]])


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [("mean", [[0.25, 0.25, 0.5], [0, 1, 0]]), ("max", [[1 / 3, 1 / 6, 1 / 2], [0, 1, 0]])],
)
def test_predictions_of_a_unit_sum_to_one(aggregate, expected):
    facts = competition_facts("ordinal", score={"metric": "qwk", "aggregate": aggregate})
    values = np.array([[0.5, 0.25, 0.25], [0, 1, 0], [0, 0.25, 0.75]])
    found = tables.predictions_by_unit(facts, UNITS, values)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("facts", "submission", "expected"),
    [
        (competition_facts(), {"target": ["0.25", "1"]}, [[0.25], [1]]),
        (competition_facts(classes=["no", "yes"]), {"target": ["no", "yes"]}, [[0], [1]]),
        (competition_facts("ordinal"), {"grade": ["2", "0"]}, [[0, 0, 1], [1, 0, 0]]),
        (
            competition_facts("multilabel", submission={"layout": "lists"}, score={"metric": "macro_f1"}),
            {"found": ["a b", "b"]},
            [[1, 1], [0, 1]],
        ),
        (competition_facts("multilabel"), {"b": ["0.5", "0"], "a": ["1", "0"]}, [[1, 0.5], [0, 0]]),
    ],
    ids=["probabilities", "words", "classes", "lists", "labels"],
)
def test_cells_of_a_submission_become_numbers(facts, submission, expected):
    table = pd.DataFrame({"id": ["x", "y"], **submission})
    assert tables.cells(facts, table).loc[["x", "y"]].to_numpy().tolist() == expected


def test_long_rows_become_a_row_per_unit():
    facts = competition_facts("multilabel", submission={"layout": "long", "id": "ID"})
    table = pd.DataFrame({"ID": ["x_b", "x_a"], "Label": ["0.5", "1"]})
    assert tables.cells(facts, table).loc["x"].tolist() == [1, 0.5]
