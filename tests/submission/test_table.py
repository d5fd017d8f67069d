import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.errors import UserError
from medfold.paths import Workspace
from medfold.scoring.metric import metric_of
from medfold.submission import table as submission
from medfold.submission.check import check_submission
from medfold.submission.form import class_words, explain_words
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
def test_columns_and_rows_follow_the_sample(rows, sample_rows, columns):
    facts = competition("multilabel")
    predictions = predicted(["a", "b"])
    wanted = sample(a=["0"] * 3, b=["0"] * 3)[columns].iloc[sample_rows].reset_index(drop=True)
    built = build_submission(facts, predictions.iloc[rows], wanted)
    check_submission(facts, built, wanted)
    assert list(built.columns) == columns
    assert built["id"].tolist() == wanted["id"].tolist()
    by_id = predictions.set_index("id")
    assert (built.set_index("id")[["a", "b"]] == by_id.loc[built["id"], ["a", "b"]]).all(axis=None)


def test_a_single_column_of_several_classes_gets_the_class():
    facts = competition("ordinal", classes=["0", "1", "2"], score={"metric": "qwk"})
    predictions = pd.DataFrame([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3]], columns=list("012")).assign(id=IDS)
    built = build_submission(facts, predictions, sample(diagnosis=["0"] * 3))
    assert built["diagnosis"].tolist() == ["2", "0", "1"]
    check_submission(facts, built, sample(diagnosis=["0"] * 3))
    with pytest.raises(UserError, match="column 'diagnosis': 5 is not a class of 0, 1, 2"):
        check_submission(facts, built.assign(diagnosis=["0", "5", "1"]), sample(diagnosis=["0"] * 3))


def test_a_binary_column_of_another_name_gets_the_probability():
    built = build_submission(competition(), predicted(), sample(cancer=["0"] * 3))
    assert built["cancer"].tolist() == predicted()["target"].tolist()


def test_a_metric_on_classes_gets_classes():
    facts = competition(score={"metric": "accuracy"})
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample())
    assert built["target"].tolist() == ["0", "0", "1"]
    check_submission(facts, built, sample())


def test_several_labels_are_decided_where_the_metric_looks_at_decisions():
    """scikit-learn's f1_score refuses probabilities, and so does a leaderboard that calls it."""
    facts, wanted = competition("multilabel", score={"metric": "macro_f1"}), sample(a=["0"] * 3, b=["0"] * 3)
    built = build_submission(facts, predicted(["a", "b"]).assign(a=[0.2, 0.5, 0.9], b=[0.6, 0.1, 0.7]), wanted)
    assert built[["a", "b"]].to_numpy().tolist() == [["0", "1"], ["0", "0"], ["1", "1"]]
    check_submission(facts, built, wanted)
    with pytest.raises(UserError, match=r"column 'a': 0.3 is not a class of 0, 1"):
        check_submission(facts, built.assign(a=["0.3", "1", "0"]), wanted)
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
def test_a_decided_class_is_written_in_the_words_of_the_sample(cells, expected):
    facts = competition(classes=["no", "yes"], score={"metric": "accuracy"})
    wanted = sample(target=cells)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), wanted)
    assert built["target"].tolist() == expected
    check_submission(facts, built, wanted)
    told = explain_words(facts, wanted)
    assert told == ("written as in the sample submission: 0 for no, 1 for yes" if expected[0] == "0" else "")
    read, decided = submission.read_predictions_back(facts, built, wanted)
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
def test_two_classes_are_written_as_the_sample_writes_them(cells, words):
    facts = competition(classes=["no", "yes"], score={"metric": "accuracy"})
    wanted = sample(target=cells)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), wanted)
    assert built["target"].tolist() == [words[0], words[0], words[1]]
    check_submission(facts, built, wanted)
    assert explain_words(facts, wanted).endswith(f"{words[0]} for no, {words[1]} for yes")
    assert class_words(facts, wanted) == words
    assert submission.read_predictions_back(facts, built, wanted)[0]["target"].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["Mild", "Sev", "Mod"], ["Mild", "Mod", "Sev"]),
        (["MILD"] * 3, ["MILD", "MOD", "SEV"]),
        (["1.0", "2.0", "0.0"], ["0.0", "1.0", "2.0"]),
        (["0"] * 3, ["mild", "mod", "sev"]),
    ],
)
def test_several_classes_are_written_as_the_sample_writes_them(cells, words):
    facts = competition("multiclass", classes=["mild", "mod", "sev"], score={"metric": "accuracy"})
    wanted = sample(label=cells)
    built = build_submission(facts, predicted(facts.prediction_columns), wanted)
    assert set(built["label"]) <= set(words)
    check_submission(facts, built, wanted)
    assert class_words(facts, wanted) == words


@pytest.mark.parametrize("cells", [["5", "6", "7"], ["normal"] * 3, ["mild", "other", "sev"]])
def test_words_of_the_sample_that_are_no_classes_are_told(cells):
    facts = competition("multiclass", classes=["mild", "mod", "sev"], score={"metric": "accuracy"})
    told = explain_words(facts, sample(label=cells))
    assert "which cannot be matched to the classes: mild, mod, sev are written, as in competition.yaml" in told


def test_labels_in_columns_are_written_as_the_sample_writes_them():
    facts = competition("multilabel", score={"metric": "macro_f1"})
    wanted = sample(a=["False"] * 3, b=["True"] * 3)
    built = build_submission(facts, predicted(["a", "b"]), wanted)
    assert set(built[["a", "b"]].to_numpy().ravel()) <= {"True", "False"}
    check_submission(facts, built, wanted)
    assert explain_words(facts, wanted) == "written as in the sample submission: False for 0, True for 1"


def test_one_column_for_the_class_needs_a_metric_of_decisions():
    with pytest.raises(UserError, match="one column for the class, but metric mean_auc needs probabilities"):
        build_submission(competition("multiclass"), predicted(["0", "1", "2"]), sample(target=["0"] * 3))
    with pytest.raises(UserError, match="metric mean_auc needs probabilities, but a submission of lists holds dec"):
        metric_of(competition("multilabel", submission={"shape": "lists"}))


LONG = {"submission": {"shape": "long", "id": "ID"}}


def long_sample(order):
    names = [f"{id}_{label}" for id in ("ID_1", "ID_2") for label in ("a", "b")]
    return pd.DataFrame({"ID": [names[number] for number in order], "Label": "0.5"}, dtype=str)


@given(st.permutations(range(4)))
def test_long_rows_get_the_probability_of_their_label(order):
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


def test_long_rows_that_were_not_predicted_are_named():
    facts = competition("multilabel", **LONG)
    predictions = pd.DataFrame({"id": ["ID_2"], "a": [0.1], "b": [0.3]})
    built = build_submission(facts, predictions, long_sample(range(4)))
    with pytest.raises(UserError, match="2 ids missing: ID_1_a, ID_1_b"):
        check_submission(facts, built, long_sample(range(4)))
    with pytest.raises(UserError, match="row 2: 'ID_1' is not <id>_<label>"):
        build_submission(facts, predictions, long_sample([0]).replace("ID_1_a", "ID_1"))


def test_lists_hold_the_labels_above_one_half_or_the_most_probable():
    facts = competition("multilabel", submission={"shape": "lists"}, score={"metric": "macro_f1"})
    predictions = pd.DataFrame({"id": IDS, "a": [0.6, 0.1, 0.4], "b": [0.7, 0.51, 0.3]})
    built = build_submission(facts, predictions, sample(Predicted=["0"] * 3))
    assert built["Predicted"].tolist() == ["a b", "b", "a"]
    check_submission(facts, built, sample(Predicted=["0"] * 3))
    for wrong in ("a a", "c", "", "a  b"):
        with pytest.raises(UserError, match="row 2, column 'Predicted'.*not a list of different labels of a, b"):
            check_submission(facts, built.assign(Predicted=[wrong, "b", "a"]), sample(Predicted=["0"] * 3))


def test_lists_may_be_empty_if_the_facts_say_so_and_are_scored_as_they_are_written():
    predictions = pd.DataFrame({"id": IDS, "a": [0.6, 0.1, 0.4], "b": [0.2, 0.51, 0.3]})
    targets, wanted = np.array([[1, 0], [0, 1], [0, 0]]), sample(Predicted=["0"] * 3)
    for empty, cells, expected in ((True, ["a", "b", ""], 1.0), (False, ["a", "b", "a"], (2 / 3 + 1) / 2)):
        facts = competition("multilabel", submission={"shape": "lists", "empty": empty}, score={"metric": "macro_f1"})
        built = build_submission(facts, predictions, wanted)
        assert built["Predicted"].tolist() == cells
        check_submission(facts, built, wanted)
        score = metric_of(facts)(targets, predictions[["a", "b"]].to_numpy())
        assert score == pytest.approx(expected)
        read, _ = submission.read_predictions_back(facts, built, wanted)
        assert metric_of(facts)(targets, read.to_numpy()) == pytest.approx(expected)


def test_a_placeholder_sample_of_a_code_competition_only_names_the_columns():
    facts = competition(upload="notebook")
    placeholder = sample().iloc[:1]
    rows = align_sample(facts, placeholder, ["007", "1e5", "c", "d"])
    assert rows["id"].tolist() == ["007", "1e5", "c", "d"]
    assert list(rows.columns) == ["id", "target"]
    assert align_sample(facts, sample(), ["c", "007", "1e5"]).equals(sample())
    assert align_sample(competition(upload="csv"), placeholder, ["007", "1e5"]).equals(placeholder)
    long = competition("multilabel", upload="notebook", **LONG)
    assert align_sample(long, long_sample([0]), ["x"])["ID"].tolist() == ["x_a", "x_b"]


def test_a_placeholder_sample_shows_the_words_of_a_class():
    facts = competition(classes=["benign", "malignant"], score={"metric": "accuracy"}, upload="notebook")
    placeholder = pd.DataFrame({"id": ["x", "y"], "target": ["0", "1"]})
    wanted = align_sample(facts, placeholder, IDS)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), wanted)
    assert built["target"].tolist() == ["0", "0", "1"]
    check_submission(facts, built, wanted)


@pytest.mark.parametrize("shape", ["wide", "long", "lists"])
def test_a_test_part_that_is_hidden_as_a_whole_has_no_rows(shape):
    more = {"score": {"metric": "macro_f1"}, "submission": {"shape": shape}, "upload": "notebook"}
    for facts in (competition("multilabel", **more), *([competition(**more)] if shape == "wide" else [])):
        columns = facts.prediction_columns if shape == "wide" else ["value"]
        wanted = pd.DataFrame(columns=["id", *columns], dtype=str)
        nothing = pd.DataFrame({"id": [], **dict.fromkeys(facts.prediction_columns, np.zeros(0))})
        built = build_submission(facts, nothing, wanted)
        check_submission(facts, built, wanted)
        read, _ = submission.read_predictions_back(facts, built, wanted)
        assert read.shape == (0, len(facts.prediction_columns))


def test_sample_columns_that_fit_nothing_are_told():
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
def test_faulty_submissions_are_refused(message):
    with pytest.raises(UserError, match=message):
        check_submission(competition(), FAULTS[message], sample())


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=3, max_size=3))
def test_exactly_probabilities_pass(values):
    table = GOOD.assign(target=values)
    if all(0 <= value <= 1 for value in values):
        check_submission(competition(), table, sample())
    else:
        with pytest.raises(UserError, match="is not a probability from 0 to 1"):
            check_submission(competition(), table, sample())


def test_the_ledger_keeps_every_row(project_folder):
    workspace = Workspace.find()
    assert read_ledger(workspace).empty
    add_row(workspace, {"when": "1", "competition": "small", "file": "a.csv", "public": "0.5"})
    add_row(workspace, {"when": "2", "competition": "small", "file": "b.csv", "runs": "a b"})
    ledger = read_ledger(workspace)
    assert list(ledger.columns) == COLUMNS
    assert ledger["when"].tolist() == ["1", "2"]
    assert ledger.loc[1, "public"] == ""


def test_what_comes_later_renews_the_row_of_the_file(project_folder):
    workspace = Workspace.find()
    for name in ("a.csv", "b.csv"):
        add_row(workspace, {"when": "1", "competition": "small", "file": name, "status": "written"})
    add_row(workspace, {"competition": "small", "file": "a.csv", "status": "scored", "public": "0.5"})
    ledger = read_ledger(workspace)
    assert ledger[["when", "file", "status", "public"]].to_numpy().tolist() == [
        ["1", "a.csv", "scored", "0.5"],
        ["1", "b.csv", "written", ""],
    ]


def test_lists_have_the_separator_of_the_labels():
    labels = {"targets": ["Mass", "Pleural fluid"], "separator": "|"}
    facts = competition("multilabel", labels=labels, submission={"shape": "lists"}, score={"metric": "macro_f1"})
    wanted = sample(found=[""] * 3)
    values = pd.DataFrame({"id": wanted["id"], "Mass": [0.9, 0.2, 0.8], "Pleural fluid": [0.9, 0.6, 0.1]})
    built = build_submission(facts, values, wanted)
    assert built["found"].tolist() == ["Mass|Pleural fluid", "Pleural fluid", "Mass"]
    check_submission(facts, built, wanted)
    read, _ = submission.read_predictions_back(facts, built, wanted)
    assert read.to_numpy().tolist() == [[1, 1], [0, 1], [1, 0]]


def test_a_probability_throughout_is_a_placeholder():
    facts = competition(score={"metric": "accuracy"})
    assert explain_words(facts, sample(target=["0.5"] * 3)) == ""
