"""The format of the cells of a submission: decisions or probabilities, and the words for the classes."""

import pytest

from medfold.scoring import metric_of
from medfold.submission import table as submission
from medfold.submission.cell_format import class_words, explain_class_words, holds_decisions
from medfold.submission.check import check_submission
from medfold.submission.table import build_submission
from tests.support.helpers import competition_facts, refused
from tests.support.submissions import predicted, sample


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(["0", "1", "0"], ["0", "0", "1"]), (["no", "no", "yes"], ["no", "no", "yes"]), ([""] * 3, ["no", "no", "yes"])],
)
def test_decided_class_is_written_in_sample_words(cells, expected):
    facts = competition_facts(classes=["no", "yes"], score={"metric": "accuracy"})
    sample_table = sample(target=cells)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample_table)
    assert built["target"].tolist() == expected
    check_submission(facts, built, sample_table)
    explanation = explain_class_words(facts, sample_table)
    assert explanation == ("written as in the sample submission: 0 for no, 1 for yes" if expected[0] == "0" else "")
    read = submission.read_predictions_back(facts, built, sample_table)
    assert (read["target"].tolist(), holds_decisions(facts, sample_table)) == ([0, 0, 1], True)


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
    facts = competition_facts(classes=["no", "yes"], score={"metric": "accuracy"})
    sample_table = sample(target=cells)
    built = build_submission(facts, predicted().assign(target=[0.2, 0.5, 0.9]), sample_table)
    assert built["target"].tolist() == [words[0], words[0], words[1]]
    check_submission(facts, built, sample_table)
    assert explain_class_words(facts, sample_table).endswith(f"{words[0]} for no, {words[1]} for yes")
    assert class_words(facts, sample_table) == words
    assert submission.read_predictions_back(facts, built, sample_table)["target"].tolist() == [0, 0, 1]


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
    facts = competition_facts("multiclass", classes=["mild", "mod", "sev"], score={"metric": "accuracy"})
    sample_table = sample(label=cells)
    built = build_submission(facts, predicted(facts.prediction_columns), sample_table)
    assert set(built["label"]) <= set(words)
    check_submission(facts, built, sample_table)
    assert class_words(facts, sample_table) == words


@pytest.mark.parametrize("cells", [["5", "6", "7"], ["normal"] * 3, ["mild", "other", "sev"]])
def test_unmatched_sample_words_are_explained(cells):
    facts = competition_facts("multiclass", classes=["mild", "mod", "sev"], score={"metric": "accuracy"})
    explanation = explain_class_words(facts, sample(label=cells))
    assert "which cannot be matched to the classes: mild, mod, sev are written, as in competition.yaml" in explanation


def test_classes_that_differ_by_case_only_keep_their_spelling():
    facts = competition_facts("multiclass", classes=["a", "A", "b"], score={"metric": "accuracy"})
    sample_table = sample(label=["A", "B", "A"])  # in capitals, two classes would have one word
    assert class_words(facts, sample_table) == ["a", "A", "b"]
    assert "A, B, which cannot be matched to the classes" in explain_class_words(facts, sample_table)


def test_multilabel_columns_follow_sample_spelling():
    facts = competition_facts("multilabel", score={"metric": "macro_f1"})
    sample_table = sample(a=["False"] * 3, b=["True"] * 3)
    built = build_submission(facts, predicted(["a", "b"]), sample_table)
    assert set(built[["a", "b"]].to_numpy().ravel()) <= {"True", "False"}
    check_submission(facts, built, sample_table)
    assert explain_class_words(facts, sample_table) == "written as in the sample submission: False for 0, True for 1"


def test_single_class_column_needs_decision_metric():
    with refused("one column for the class, .*mean_auc needs probabilities"):
        build_submission(competition_facts("multiclass"), predicted(["0", "1", "2"]), sample(target=["0"] * 3))


def test_lists_need_decision_metric():
    with refused("mean_auc needs probabilities, .*lists"):
        metric_of(competition_facts("multilabel", submission={"layout": "lists"}))


def test_unmatched_sample_columns_raise():
    with refused(
        "submission.layout: the sample submission has the columns x, y; task multilabel needs a, b. Check task"
    ):
        build_submission(competition_facts("multilabel"), predicted(["a", "b"]), sample(x=["0"] * 3, y=["0"] * 3))


def test_constant_probability_sample_is_a_placeholder():
    facts = competition_facts(score={"metric": "accuracy"})
    assert explain_class_words(facts, sample(target=["0.5"] * 3)) == ""
