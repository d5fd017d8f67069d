"""The submission table: built in the format of the sample submission, and read back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.scoring import metric_of
from medfold.submission import table as submission
from medfold.submission.check import check_submission
from medfold.submission.table import build_submission, complete_sample_submission, describe_missing, fill_missing
from tests.support.helpers import competition_facts, refused
from tests.support.submissions import IDS, LONG, long_sample, predicted, sample


@given(st.permutations(range(3)), st.permutations(range(3)), st.permutations(["id", "a", "b"]))
def test_columns_and_rows_follow_sample_submission(rows, sample_rows, columns):
    facts = competition_facts("multilabel")
    predictions = predicted(["a", "b"])
    sample_table = sample(a=["0"] * 3, b=["0"] * 3)[columns].iloc[sample_rows].reset_index(drop=True)
    built = build_submission(facts, predictions.iloc[rows], sample_table)
    check_submission(facts, built, sample_table)
    assert list(built.columns) == columns
    assert built["id"].tolist() == sample_table["id"].tolist()
    by_id = predictions.set_index("id")
    assert (built.set_index("id")[["a", "b"]] == by_id.loc[built["id"], ["a", "b"]]).all(axis=None)


def test_single_column_of_several_classes_holds_the_class():
    facts = competition_facts("ordinal", classes=["0", "1", "2"], score={"metric": "qwk"})
    predictions = pd.DataFrame([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3]], columns=list("012")).assign(id=IDS)
    built = build_submission(facts, predictions, sample(diagnosis=["0"] * 3))
    assert built["diagnosis"].tolist() == ["2", "0", "1"]
    check_submission(facts, built, sample(diagnosis=["0"] * 3))


def test_other_word_than_a_class_is_refused():
    facts = competition_facts("ordinal", classes=["0", "1", "2"], score={"metric": "qwk"})
    written = pd.DataFrame({"id": IDS, "diagnosis": ["0", "5", "1"]})
    with refused("column 'diagnosis': 5 is not a class of 0, 1, 2"):
        check_submission(facts, written, sample(diagnosis=["0"] * 3))


def test_binary_column_of_other_name_holds_probability():
    built = build_submission(competition_facts(), predicted(), sample(cancer=["0"] * 3))
    assert built["cancer"].tolist() == predicted()["target"].tolist()


def test_decision_metric_writes_classes():
    facts = competition_facts(score={"metric": "accuracy"})
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample())
    assert built["target"].tolist() == ["0", "0", "1"]
    check_submission(facts, built, sample())


def test_decision_metric_writes_multilabel_decisions():
    """A leaderboard that computes macro F1 by scikit-learn refuses probabilities."""
    facts, sample_table = (
        competition_facts("multilabel", score={"metric": "macro_f1"}),
        sample(a=["0"] * 3, b=["0"] * 3),
    )
    built = build_submission(facts, predicted(["a", "b"]).assign(a=[0.2, 0.5, 0.9], b=[0.6, 0.1, 0.7]), sample_table)
    assert built[["a", "b"]].to_numpy().tolist() == [["0", "1"], ["0", "0"], ["1", "1"]]
    check_submission(facts, built, sample_table)


def test_probability_is_refused_where_the_metric_uses_decisions():
    facts, sample_table = (
        competition_facts("multilabel", score={"metric": "macro_f1"}),
        sample(a=["0"] * 3, b=["0"] * 3),
    )
    written = pd.DataFrame({"id": IDS, "a": ["0.3", "1", "0"], "b": ["1", "0", "1"]})
    with refused(r"column 'a': 0.3 is not a class of 0, 1"):
        check_submission(facts, written, sample_table)


def test_decision_metric_writes_decisions_in_long_rows():
    rows = long_sample(range(4))
    built = build_submission(
        competition_facts("multilabel", score={"metric": "macro_f1"}, **LONG),
        pd.DataFrame({"id": ["ID_2", "ID_1"], "a": [0.1, 0.8], "b": [0.7, 0.4]}),
        rows,
    )
    assert built["Label"].tolist() == ["1", "0", "0", "1"]


@given(st.permutations(range(4)))
def test_long_rows_hold_probability_of_their_label(order):
    facts = competition_facts("multilabel", **LONG)
    predictions = pd.DataFrame({"id": ["ID_2", "ID_1"], "a": [0.1, 0.2], "b": [0.3, 0.4]})
    built = build_submission(facts, predictions, long_sample(order))
    check_submission(facts, built, long_sample(order))
    assert dict(zip(built["ID"], built["Label"], strict=True)) == {
        "ID_2_a": 0.1,
        "ID_1_a": 0.2,
        "ID_2_b": 0.3,
        "ID_1_b": 0.4,
    }


LISTS = competition_facts("multilabel", submission={"layout": "lists"}, score={"metric": "macro_f1"})


def test_lists_hold_labels_above_half_or_most_probable():
    predictions = pd.DataFrame({"id": IDS, "a": [0.6, 0.1, 0.4], "b": [0.7, 0.51, 0.3]})
    built = build_submission(LISTS, predictions, sample(Predicted=["0"] * 3))
    assert built["Predicted"].tolist() == ["a b", "b", "a"]
    check_submission(LISTS, built, sample(Predicted=["0"] * 3))


@pytest.mark.parametrize("wrong", ["a a", "c", "", "a  b"])
def test_list_of_repeated_or_unknown_labels_is_refused(wrong):
    written = pd.DataFrame({"id": IDS, "Predicted": [wrong, "b", "a"]})
    with refused("row 2, column 'Predicted'.*not a list of different labels of a, b"):
        check_submission(LISTS, written, sample(Predicted=["0"] * 3))


@pytest.mark.parametrize(
    ("allow_empty_lists", "cells", "expected"),
    [(True, ["a", "b", ""], 1.0), (False, ["a", "b", "a"], (2 / 3 + 1) / 2)],
)
def test_empty_lists_need_allow_empty_lists_and_score_as_written(allow_empty_lists, cells, expected):
    predictions = pd.DataFrame({"id": IDS, "a": [0.6, 0.1, 0.4], "b": [0.2, 0.51, 0.3]})
    targets, sample_table = np.array([[1, 0], [0, 1], [0, 0]]), sample(Predicted=["0"] * 3)
    layout = {"layout": "lists", "allow_empty_lists": allow_empty_lists}
    facts = competition_facts("multilabel", submission=layout, score={"metric": "macro_f1"})
    built = build_submission(facts, predictions, sample_table)
    assert built["Predicted"].tolist() == cells
    check_submission(facts, built, sample_table)
    score = metric_of(facts)(targets, predictions[["a", "b"]].to_numpy())
    assert score == pytest.approx(expected)
    read = submission.read_predictions_back(facts, built, sample_table)
    assert metric_of(facts)(targets, read.to_numpy()) == pytest.approx(expected)


def test_placeholder_sample_is_expanded_to_test_ids():
    facts = competition_facts(upload="notebook")
    placeholder = sample().iloc[:1]
    rows = complete_sample_submission(facts, placeholder, ["007", "1e5", "c", "d"])
    assert rows["id"].tolist() == ["007", "1e5", "c", "d"]
    assert list(rows.columns) == ["id", "target"]


def test_sample_of_the_test_ids_is_kept():
    assert complete_sample_submission(competition_facts(upload="notebook"), sample(), ["c", "007", "1e5"]).equals(
        sample()
    )


def test_placeholder_sample_of_an_uploaded_file_is_kept():
    placeholder = sample().iloc[:1]
    assert complete_sample_submission(competition_facts(upload="csv"), placeholder, ["007", "1e5"]).equals(placeholder)


def test_placeholder_sample_of_long_rows_is_expanded():
    long = competition_facts("multilabel", upload="notebook", **LONG)
    assert complete_sample_submission(long, long_sample([0]), ["x"])["ID"].tolist() == ["x_a", "x_b"]


def test_placeholder_sample_with_0_1_writes_0_1():
    facts = competition_facts(classes=["benign", "malignant"], score={"metric": "accuracy"}, upload="notebook")
    placeholder = pd.DataFrame({"id": ["x", "y"], "target": ["0", "1"]})
    sample_table = complete_sample_submission(facts, placeholder, IDS)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample_table)
    assert built["target"].tolist() == ["0", "0", "1"]
    check_submission(facts, built, sample_table)


@pytest.mark.parametrize(
    ("task", "layout"), [("binary", "wide"), ("multilabel", "wide"), ("multilabel", "long"), ("multilabel", "lists")]
)
def test_fully_hidden_test_part_gives_empty_submission(task, layout):
    facts = competition_facts(task, score={"metric": "macro_f1"}, submission={"layout": layout}, upload="notebook")
    columns = facts.prediction_columns if layout == "wide" else ["value"]
    sample_table = pd.DataFrame(columns=["id", *columns], dtype=str)
    nothing = pd.DataFrame({"id": [], **dict.fromkeys(facts.prediction_columns, np.zeros(0))})
    built = build_submission(facts, nothing, sample_table)
    check_submission(facts, built, sample_table)
    read = submission.read_predictions_back(facts, built, sample_table)
    assert read.shape == (0, len(facts.prediction_columns))


def test_lists_use_label_separator():
    labels = {"targets": ["Mass", "Pleural fluid"], "separator": "|"}
    facts = competition_facts("multilabel", labels=labels, submission={"layout": "lists"}, score={"metric": "macro_f1"})
    sample_table = sample(found=[""] * 3)
    values = pd.DataFrame({"id": sample_table["id"], "Mass": [0.9, 0.2, 0.8], "Pleural fluid": [0.9, 0.6, 0.1]})
    built = build_submission(facts, values, sample_table)
    assert built["found"].tolist() == ["Mass|Pleural fluid", "Pleural fluid", "Mass"]
    check_submission(facts, built, sample_table)
    read = submission.read_predictions_back(facts, built, sample_table)
    assert read.to_numpy().tolist() == [[1, 1], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("num_labels", "shown"), [(2, "0.25, 0.25"), (6, ", ".join(["0.25"] * 6)), (7, f"{', '.join(['0.25'] * 6)}, ...")]
)
def test_units_without_a_prediction_get_the_fallback_and_are_counted(num_labels, shown):
    names = [f"label{number}" for number in range(num_labels)]
    facts = competition_facts("multilabel", labels={"targets": names})
    predictions = pd.DataFrame({"id": ["b"], **{name: [0.5] for name in names}})
    units, fallback = ["a", "b", "c"], np.full(num_labels, 0.25)
    filled = fill_missing(facts, predictions, units, fallback)
    assert filled["id"].tolist() == ["b", "a", "c"]
    assert filled[names[-1]].tolist() == [0.5, 0.25, 0.25]
    text = f"2 of 3 test units have no readable image: they get {shown}, the prediction without an image"
    assert describe_missing(predictions, units, fallback) == text


def test_complete_predictions_are_returned_unchanged():
    predictions = pd.DataFrame({"id": ["b"], "target": [0.5]})
    assert fill_missing(competition_facts(), predictions, ["b"], np.array([0.25])) is predictions
    assert describe_missing(predictions, ["b"], np.array([0.25])) == ""
