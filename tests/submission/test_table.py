"""Submission tables: their form, the words of classes, the check, and the ledger."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.errors import UserError
from medfold.paths import Workspace
from medfold.scoring.metric import metric_of
from medfold.submission import table as submission
from medfold.submission.cell_format import class_words, explain_words
from medfold.submission.check import check_submission
from medfold.submission.ledger import COLUMNS, add_row, read_ledger
from medfold.submission.table import align_sample, build_submission
from tests.support.helpers import competition

IDS = ["007", "1e5", "c"]


def sample(**columns):
    return pd.DataFrame({"id": IDS, **(columns or {"target": ["0"] * 3})}, dtype=str)


def predicted(columns=("target",), seed=0):
    table = pd.DataFrame(np.random.default_rng(seed).random((3, len(columns))), columns=list(columns))
    return table.assign(id=IDS)


@given(st.permutations(range(3)), st.permutations(range(3)), st.permutations(["id", "a", "b"]))
def test_columns_and_rows_follow_sample_submission(rows, sample_rows, columns):
    facts = competition("multilabel")
    predictions = predicted(["a", "b"])
    sample_table = sample(a=["0"] * 3, b=["0"] * 3)[columns].iloc[sample_rows].reset_index(drop=True)
    built = build_submission(facts, predictions.iloc[rows], sample_table)
    check_submission(facts, built, sample_table)
    assert list(built.columns) == columns
    assert built["id"].tolist() == sample_table["id"].tolist()
    by_id = predictions.set_index("id")
    assert (built.set_index("id")[["a", "b"]] == by_id.loc[built["id"], ["a", "b"]]).all(axis=None)


def test_single_column_of_several_classes_holds_the_class():
    facts = competition("ordinal", classes=["0", "1", "2"], score={"metric": "qwk"})
    predictions = pd.DataFrame([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3]], columns=list("012")).assign(id=IDS)
    built = build_submission(facts, predictions, sample(diagnosis=["0"] * 3))
    assert built["diagnosis"].tolist() == ["2", "0", "1"]
    check_submission(facts, built, sample(diagnosis=["0"] * 3))
    with pytest.raises(UserError, match="column 'diagnosis': 5 is not a class of 0, 1, 2"):
        check_submission(facts, built.assign(diagnosis=["0", "5", "1"]), sample(diagnosis=["0"] * 3))


def test_binary_column_of_other_name_holds_probability():
    built = build_submission(competition(), predicted(), sample(cancer=["0"] * 3))
    assert built["cancer"].tolist() == predicted()["target"].tolist()


def test_decision_metric_writes_classes():
    facts = competition(score={"metric": "accuracy"})
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample())
    assert built["target"].tolist() == ["0", "0", "1"]
    check_submission(facts, built, sample())


def test_decision_metric_writes_multilabel_decisions():
    """A leaderboard that computes macro F1 by scikit-learn refuses probabilities."""
    facts, sample_table = competition("multilabel", score={"metric": "macro_f1"}), sample(a=["0"] * 3, b=["0"] * 3)
    built = build_submission(facts, predicted(["a", "b"]).assign(a=[0.2, 0.5, 0.9], b=[0.6, 0.1, 0.7]), sample_table)
    assert built[["a", "b"]].to_numpy().tolist() == [["0", "1"], ["0", "0"], ["1", "1"]]
    check_submission(facts, built, sample_table)
    with pytest.raises(UserError, match=r"column 'a': 0.3 is not a class of 0, 1"):
        check_submission(facts, built.assign(a=["0.3", "1", "0"]), sample_table)
    rows = long_sample(range(4))
    built = build_submission(
        competition("multilabel", score={"metric": "macro_f1"}, **LONG),
        pd.DataFrame({"id": ["ID_2", "ID_1"], "a": [0.1, 0.8], "b": [0.7, 0.4]}),
        rows,
    )
    assert built["Label"].tolist() == ["1", "0", "0", "1"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(["0", "1", "0"], ["0", "0", "1"]), (["no", "no", "yes"], ["no", "no", "yes"]), ([""] * 3, ["no", "no", "yes"])],
)
def test_decided_class_is_written_in_sample_words(cells, expected):
    facts = competition(classes=["no", "yes"], score={"metric": "accuracy"})
    sample_table = sample(target=cells)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample_table)
    assert built["target"].tolist() == expected
    check_submission(facts, built, sample_table)
    explanation = explain_words(facts, sample_table)
    assert explanation == ("written as in the sample submission: 0 for no, 1 for yes" if expected[0] == "0" else "")
    read, decided = submission.read_predictions_back(facts, built, sample_table)
    assert (read["target"].tolist(), decided) == ([0, 0, 1], True)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["0", "1", "0"], ["0", "1"]),
        (["0.0", "1.0", "0.0"], ["0.0", "1.0"]),
        (["No", "Yes", "No"], ["No", "Yes"]),
        (["NO", "NO", "NO"], ["NO", "YES"]),
        (["True", "False", "True"], ["False", "True"]),
        (["false", "false", "false"], ["false", "true"]),
        (["N", "Y", "N"], ["N", "Y"]),
        (["Negative", "Positive", "Negative"], ["Negative", "Positive"]),
    ],
)
def test_binary_classes_follow_sample_spelling(cells, words):
    facts = competition(classes=["no", "yes"], score={"metric": "accuracy"})
    sample_table = sample(target=cells)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample_table)
    assert built["target"].tolist() == [words[0], words[0], words[1]]
    check_submission(facts, built, sample_table)
    assert explain_words(facts, sample_table).endswith(f"{words[0]} for no, {words[1]} for yes")
    assert class_words(facts, sample_table) == words
    assert submission.read_predictions_back(facts, built, sample_table)[0]["target"].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["Mild", "Sev", "Mod"], ["Mild", "Mod", "Sev"]),
        (["MILD"] * 3, ["MILD", "MOD", "SEV"]),
        (["1.0", "2.0", "0.0"], ["0.0", "1.0", "2.0"]),
        (["0"] * 3, ["mild", "mod", "sev"]),
    ],
)
def test_multiclass_labels_follow_sample_spelling(cells, words):
    facts = competition("multiclass", classes=["mild", "mod", "sev"], score={"metric": "accuracy"})
    sample_table = sample(label=cells)
    built = build_submission(facts, predicted(facts.prediction_columns), sample_table)
    assert set(built["label"]) <= set(words)
    check_submission(facts, built, sample_table)
    assert class_words(facts, sample_table) == words


@pytest.mark.parametrize("cells", [["5", "6", "7"], ["normal"] * 3, ["mild", "other", "sev"]])
def test_unmatched_sample_words_are_explained(cells):
    facts = competition("multiclass", classes=["mild", "mod", "sev"], score={"metric": "accuracy"})
    explanation = explain_words(facts, sample(label=cells))
    assert "which cannot be matched to the classes: mild, mod, sev are written, as in competition.yaml" in explanation


def test_multilabel_columns_follow_sample_spelling():
    facts = competition("multilabel", score={"metric": "macro_f1"})
    sample_table = sample(a=["False"] * 3, b=["True"] * 3)
    built = build_submission(facts, predicted(["a", "b"]), sample_table)
    assert set(built[["a", "b"]].to_numpy().ravel()) <= {"True", "False"}
    check_submission(facts, built, sample_table)
    assert explain_words(facts, sample_table) == "written as in the sample submission: False for 0, True for 1"


def test_single_class_column_needs_decision_metric():
    with pytest.raises(UserError, match="one column for the class, .*mean_auc needs probabilities"):
        build_submission(competition("multiclass"), predicted(["0", "1", "2"]), sample(target=["0"] * 3))
    with pytest.raises(UserError, match="mean_auc needs probabilities, .*lists"):
        metric_of(competition("multilabel", submission={"layout": "lists"}))


LONG = {"submission": {"layout": "long", "id": "ID"}}


def long_sample(order):
    names = [f"{id}_{label}" for id in ("ID_1", "ID_2") for label in ("a", "b")]
    return pd.DataFrame({"ID": [names[number] for number in order], "Label": "0.5"}, dtype=str)


@given(st.permutations(range(4)))
def test_long_rows_hold_probability_of_their_label(order):
    facts = competition("multilabel", **LONG)
    predictions = pd.DataFrame({"id": ["ID_2", "ID_1"], "a": [0.1, 0.2], "b": [0.3, 0.4]})
    built = build_submission(facts, predictions, long_sample(order))
    check_submission(facts, built, long_sample(order))
    assert dict(zip(built["ID"], built["Label"], strict=True)) == {
        "ID_2_a": 0.1,
        "ID_1_a": 0.2,
        "ID_2_b": 0.3,
        "ID_1_b": 0.4,
    }


def test_missing_long_rows_raise_with_ids():
    facts = competition("multilabel", **LONG)
    predictions = pd.DataFrame({"id": ["ID_2"], "a": [0.1], "b": [0.3]})
    built = build_submission(facts, predictions, long_sample(range(4)))
    with pytest.raises(UserError, match="2 ids missing: ID_1_a, ID_1_b"):
        check_submission(facts, built, long_sample(range(4)))
    with pytest.raises(UserError, match="row 2: 'ID_1' is not <id>_<label>"):
        build_submission(facts, predictions, long_sample([0]).replace("ID_1_a", "ID_1"))


def test_lists_hold_labels_above_half_or_most_probable():
    facts = competition("multilabel", submission={"layout": "lists"}, score={"metric": "macro_f1"})
    predictions = pd.DataFrame({"id": IDS, "a": [0.6, 0.1, 0.4], "b": [0.7, 0.51, 0.3]})
    built = build_submission(facts, predictions, sample(Predicted=["0"] * 3))
    assert built["Predicted"].tolist() == ["a b", "b", "a"]
    check_submission(facts, built, sample(Predicted=["0"] * 3))
    for wrong in ("a a", "c", "", "a  b"):
        with pytest.raises(UserError, match="row 2, column 'Predicted'.*not a list of different labels of a, b"):
            check_submission(facts, built.assign(Predicted=[wrong, "b", "a"]), sample(Predicted=["0"] * 3))


def test_empty_lists_need_submission_empty_and_score_as_written():
    predictions = pd.DataFrame({"id": IDS, "a": [0.6, 0.1, 0.4], "b": [0.2, 0.51, 0.3]})
    targets, sample_table = np.array([[1, 0], [0, 1], [0, 0]]), sample(Predicted=["0"] * 3)
    for empty, cells, expected in ((True, ["a", "b", ""], 1.0), (False, ["a", "b", "a"], (2 / 3 + 1) / 2)):
        facts = competition("multilabel", submission={"layout": "lists", "empty": empty}, score={"metric": "macro_f1"})
        built = build_submission(facts, predictions, sample_table)
        assert built["Predicted"].tolist() == cells
        check_submission(facts, built, sample_table)
        score = metric_of(facts)(targets, predictions[["a", "b"]].to_numpy())
        assert score == pytest.approx(expected)
        read, _ = submission.read_predictions_back(facts, built, sample_table)
        assert metric_of(facts)(targets, read.to_numpy()) == pytest.approx(expected)


def test_placeholder_sample_is_expanded_to_test_ids():
    facts = competition(upload="notebook")
    placeholder = sample().iloc[:1]
    rows = align_sample(facts, placeholder, ["007", "1e5", "c", "d"])
    assert rows["id"].tolist() == ["007", "1e5", "c", "d"]
    assert list(rows.columns) == ["id", "target"]
    assert align_sample(facts, sample(), ["c", "007", "1e5"]).equals(sample())
    assert align_sample(competition(upload="csv"), placeholder, ["007", "1e5"]).equals(placeholder)
    long = competition("multilabel", upload="notebook", **LONG)
    assert align_sample(long, long_sample([0]), ["x"])["ID"].tolist() == ["x_a", "x_b"]


def test_placeholder_sample_with_0_1_writes_0_1():
    facts = competition(classes=["benign", "malignant"], score={"metric": "accuracy"}, upload="notebook")
    placeholder = pd.DataFrame({"id": ["x", "y"], "target": ["0", "1"]})
    sample_table = align_sample(facts, placeholder, IDS)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample_table)
    assert built["target"].tolist() == ["0", "0", "1"]
    check_submission(facts, built, sample_table)


@pytest.mark.parametrize("shape", ["wide", "long", "lists"])
def test_fully_hidden_test_part_gives_empty_submission(shape):
    more = {"score": {"metric": "macro_f1"}, "submission": {"layout": shape}, "upload": "notebook"}
    for facts in (competition("multilabel", **more), *([competition(**more)] if shape == "wide" else [])):
        columns = facts.prediction_columns if shape == "wide" else ["value"]
        sample_table = pd.DataFrame(columns=["id", *columns], dtype=str)
        nothing = pd.DataFrame({"id": [], **dict.fromkeys(facts.prediction_columns, np.zeros(0))})
        built = build_submission(facts, nothing, sample_table)
        check_submission(facts, built, sample_table)
        read, _ = submission.read_predictions_back(facts, built, sample_table)
        assert read.shape == (0, len(facts.prediction_columns))


def test_unmatched_sample_columns_raise():
    with pytest.raises(UserError, match="columns x, y fit neither a, b nor one class"):
        build_submission(competition("multilabel"), predicted(["a", "b"]), sample(x=["0"] * 3, y=["0"] * 3))


GOOD = pd.DataFrame({"id": IDS, "target": [0.1, 0.5, 1.0]})
FAULTS = {
    "has no rows": GOOD.iloc[:0],
    "wrong columns: id, p": GOOD.rename(columns={"target": "p"}),
    "wrong columns: target, id": GOOD[["target", "id"]],
    "1 id missing: c": GOOD.iloc[:2],
    "1 id not in the sample: d": pd.concat([GOOD, pd.DataFrame({"id": ["d"], "target": [0.5]})]),
    "1 id duplicated: c": pd.concat([GOOD, GOOD.iloc[2:]]),
    "another order": GOOD.iloc[::-1],
    "row 3, column 'target': nan is not a probability": GOOD.assign(target=[0.1, np.nan, 0.3]),
    "row 2, column 'target': inf": GOOD.assign(target=[np.inf, 0.1, 0.3]),
    "row 4, column 'target': 1.01": GOOD.assign(target=[0.1, 0.2, 1.01]),
    "row 2, column 'target': -0.1": GOOD.assign(target=[-0.1, 0.2, 0.1]),
    "row 3, column 'target': high": GOOD.assign(target=["0.1", "high", "0.2"]),
}


@pytest.mark.parametrize("message", FAULTS)
def test_faulty_submission_raises(message):
    with pytest.raises(UserError, match=message):
        check_submission(competition(), FAULTS[message], sample())


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=3, max_size=3))
def test_check_accepts_exactly_values_from_0_to_1(values):
    table = GOOD.assign(target=values)
    if all(0 <= value <= 1 for value in values):
        check_submission(competition(), table, sample())
    else:
        with pytest.raises(UserError, match="is not a probability from 0 to 1"):
            check_submission(competition(), table, sample())


def test_ledger_keeps_every_row(project_folder):
    workspace = Workspace.find()
    assert read_ledger(workspace).empty
    add_row(workspace, {"when": "1", "competition": "small", "file": "a.csv", "public": "0.5"})
    add_row(workspace, {"when": "2", "competition": "small", "file": "b.csv", "runs": "a b"})
    ledger = read_ledger(workspace)
    assert list(ledger.columns) == COLUMNS
    assert ledger["when"].tolist() == ["1", "2"]
    assert ledger.loc[1, "public"] == ""


def test_add_row_updates_row_of_same_file(project_folder):
    workspace = Workspace.find()
    for name in ("a.csv", "b.csv"):
        add_row(workspace, {"when": "1", "competition": "small", "file": name, "status": "written"})
    add_row(workspace, {"competition": "small", "file": "a.csv", "status": "scored", "public": "0.5"})
    ledger = read_ledger(workspace)
    assert ledger[["when", "file", "status", "public"]].to_numpy().tolist() == [
        ["1", "a.csv", "scored", "0.5"],
        ["1", "b.csv", "written", ""],
    ]


def test_lists_use_label_separator():
    labels = {"targets": ["Mass", "Pleural fluid"], "separator": "|"}
    facts = competition("multilabel", labels=labels, submission={"layout": "lists"}, score={"metric": "macro_f1"})
    sample_table = sample(found=[""] * 3)
    values = pd.DataFrame({"id": sample_table["id"], "Mass": [0.9, 0.2, 0.8], "Pleural fluid": [0.9, 0.6, 0.1]})
    built = build_submission(facts, values, sample_table)
    assert built["found"].tolist() == ["Mass|Pleural fluid", "Pleural fluid", "Mass"]
    check_submission(facts, built, sample_table)
    read, _ = submission.read_predictions_back(facts, built, sample_table)
    assert read.to_numpy().tolist() == [[1, 1], [0, 1], [1, 0]]


def test_constant_probability_sample_is_a_placeholder():
    facts = competition(score={"metric": "accuracy"})
    assert explain_words(facts, sample(target=["0.5"] * 3)) == ""
