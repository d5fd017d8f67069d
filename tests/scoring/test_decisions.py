"""Decisions: from probabilities to classes and labels."""

import numpy as np
import pytest

from medfold.scoring.decisions import decisions_of
from tests.support.helpers import competition


@pytest.mark.parametrize("task", ["multiclass", "ordinal"])
def test_most_probable_class_is_decided(task):
    decided = decisions_of(competition(task), np.array([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3], [0.1, 0.45, 0.45]]))
    assert decided.tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert decided.dtype == np.float64


def test_binary_class_is_decided_above_one_half():
    decided = decisions_of(competition(), np.array([[0.49], [0.5], [0.51]]))
    assert decided.tolist() == [[0], [0], [1]]


@pytest.mark.parametrize(("empty", "without_labels"), [(True, [0, 0]), (False, [0, 1])])
def test_lists_that_may_not_be_empty_hold_most_probable_label(empty, without_labels):
    submission = {"layout": "lists", "empty": empty}
    facts = competition("multilabel", submission=submission, score={"metric": "macro_f1"})
    decided = decisions_of(facts, np.array([[0.6, 0.9], [0.2, 0.7], [0.1, 0.4]]))
    assert decided.tolist() == [[1, 1], [0, 1], without_labels]
