"""Decisions: from probabilities to classes and labels."""

import numpy as np
import pytest

from medfold.scoring.decisions import decide, targets_as_columns, to_classes, to_labels
from tests.support.helpers import competition_facts


@pytest.mark.parametrize("task", ["multiclass", "ordinal"])
def test_most_probable_class_is_decided(task):
    decided = decide(competition_facts(task), np.array([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3], [0.1, 0.45, 0.45]]))
    assert decided.tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert decided.dtype == np.float64


def test_binary_class_is_decided_above_one_half():
    decided = decide(competition_facts(), np.array([[0.49], [0.5], [0.51]]))
    assert decided.tolist() == [[0], [0], [1]]


@pytest.mark.parametrize(("empty", "without_labels"), [(True, [0, 0]), (False, [0, 1])])
def test_lists_that_may_not_be_empty_hold_most_probable_label(empty, without_labels):
    submission = {"layout": "lists", "allow_empty_lists": empty}
    facts = competition_facts("multilabel", submission=submission, score={"metric": "macro_f1"})
    decided = decide(facts, np.array([[0.6, 0.9], [0.2, 0.7], [0.1, 0.4]]))
    assert decided.tolist() == [[1, 1], [0, 1], without_labels]


@pytest.mark.parametrize(
    ("targets", "num_columns", "expected"),
    [
        ([0, 1], 1, [[0], [1]]),
        ([2, 0], 3, [[0, 0, 1], [1, 0, 0]]),
        ([[1, 0], [1, 1]], 2, [[1, 0], [1, 1]]),
    ],
)
def test_targets_as_columns_is_the_membership_of_each_column(targets, num_columns, expected):
    assert targets_as_columns(np.array(targets), num_columns).tolist() == expected


def test_class_is_the_most_probable_one_and_a_label_is_what_is_above_one_half():
    predictions = np.array([[0.5, 0.2, 0.3], [0.1, 0.51, 0.39]])
    assert to_classes(predictions).tolist() == [0, 1]
    assert to_labels(predictions).tolist() == [[0, 0, 0], [0, 1, 0]]
    assert to_labels(predictions[:, 1]).tolist() == to_classes(predictions[:, 1]).tolist() == [0, 1]
