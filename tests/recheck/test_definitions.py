"""Scores computed by medfold, by recheck, and from the written submission file are equal."""

import io

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from medfold.competition.facts_sections import RESERVED_COLUMNS
from medfold.recheck import definitions, tables
from medfold.scoring import METRICS, metric_of
from medfold.submission import table as submission
from medfold.submission.check import check_submission
from medfold.submission.table import build_submission
from tests.support.helpers import competition_facts

BINARY = ["auc", "pauc", "pf1", "accuracy", "balanced_accuracy", "macro_f1", "fbeta", "log_loss", "ece"]
CLASSES = ["mean_auc", "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece"]
LABELS = ["mean_auc", "accuracy", "macro_f1", "fbeta", "log_loss", "weighted_log_loss", "ece"]
BY_TASK = {"binary": BINARY, "multiclass": CLASSES, "ordinal": [*CLASSES, "qwk"], "multilabel": LABELS}
AWKWARD = ["NA", "None", "nan", "NULL", "01", "007", "1e5", "1.0", "-", "a b", "ä", "x,y", "TRUE", "'q'", "0x1", "#1"]
# Texts as ids and classes: no line ends and no other control characters, which tables do not keep apart.
LETTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"])
TEXT = st.one_of(st.sampled_from(AWKWARD), st.text(LETTERS, min_size=1))


@st.composite
def competitions(draw):
    """Draws facts, targets, predictions, ids and a sample submission of a random competition."""
    task = draw(st.sampled_from(list(BY_TASK)))
    metric, is_not_binary = draw(st.sampled_from(BY_TASK[task])), task != "binary"
    needs_decisions = METRICS[metric].response_method == "predict"
    layouts = {"multilabel": ["wide", "long", *(["lists"] if needs_decisions else [])]}.get(task, ["wide"])
    layout = draw(st.sampled_from(layouts))
    names = draw(
        st.lists(TEXT, min_size=3, max_size=5, unique=True).filter(lambda words: not {*words} & {*RESERVED_COLUMNS})
    )
    if layout != "wide":
        names = ["a", "b_a", "c"]  # words that lists and long rows can hold
    change = {"score": {"metric": metric}, "submission": {"layout": layout, "allow_empty_lists": draw(st.booleans())}}
    if metric == "weighted_log_loss":
        change["score"]["weights"] = {names[0]: 2.0}
    if task == "multilabel":
        change["labels"] = {"targets": names}
    elif is_not_binary or draw(st.booleans()):
        change["classes"] = names if is_not_binary else names[:2]
    facts = competition_facts(task, **change)
    num_rows, columns = draw(st.integers(1, 30)), len(facts.prediction_columns)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    targets = rng.integers(
        0, columns if facts.has_exclusive_classes else 2, (num_rows, columns) if task == "multilabel" else num_rows
    )
    predictions = np.round(rng.random((num_rows, columns)), draw(st.integers(1, 9)))
    if facts.has_exclusive_classes:
        predictions = (predictions + 0.01) / (predictions + 0.01).sum(axis=1, keepdims=True)
    ids = draw(st.lists(TEXT, min_size=num_rows, max_size=num_rows, unique=True))
    if layout == "long":
        sample = pd.DataFrame({"id": [f"{id}_{name}" for id in ids for name in facts.prediction_columns], "value": ""})
    elif layout == "lists":
        sample = pd.DataFrame({"id": ids, "labels": ""})
    else:
        is_single_column = task == "binary" or (facts.has_exclusive_classes and needs_decisions)
        held_columns = ["found"] if is_single_column and draw(st.booleans()) else facts.prediction_columns
        sample = pd.DataFrame({"id": ids, **dict.fromkeys(held_columns, "")}, dtype=str)
    return facts, targets, predictions, ids, sample


def as_members(facts, targets: np.ndarray) -> np.ndarray:
    """Returns the targets as recheck expects them: a column for each class or label."""
    return (
        np.eye(len(facts.prediction_columns), dtype=int)[targets]
        if facts.has_exclusive_classes
        else targets.reshape(len(targets), -1)
    )


@given(competitions(), st.randoms(use_true_random=False))
def test_score_of_written_file_equals_metric(drawn, random):
    facts, targets, predictions, ids, sample = drawn
    expected = metric_of(facts)(targets, predictions)
    table = pd.DataFrame(predictions, columns=facts.prediction_columns)
    table.insert(0, "id", ids)
    built = build_submission(facts, table.iloc[random.sample(range(len(ids)), len(ids))], sample)
    text = built.to_csv(index=False, float_format="%.17g", lineterminator="\n")
    again = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    check_submission(facts, again, sample)
    cells = tables.cells(facts, again).loc[ids].to_numpy()
    found = definitions.metric_value(facts, facts.score.metric, as_members(facts, targets), cells)
    np.testing.assert_allclose(found, expected, atol=1e-9, rtol=0)
    read = submission.read_predictions_back(facts, again, sample)
    np.testing.assert_allclose(metric_of(facts)(targets, read.loc[ids].to_numpy()), expected, atol=1e-9, rtol=0)


@given(competitions())
def test_every_metric_matches_recheck_definition(drawn):
    facts, targets, predictions, _, _ = drawn
    for name in BY_TASK[facts.task]:
        if name == "weighted_log_loss" and not facts.score.weights:
            continue
        expected = metric_of(facts, name)(targets, predictions)
        found = definitions.metric_value(facts, name, as_members(facts, targets), predictions)
        np.testing.assert_allclose(found, expected, atol=1e-9, rtol=0, err_msg=name)
