"""Greedy selection of members: its path, ties, and the shortest prefix that is good enough."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medfold.ensemble.greedy_selection import greedy_path, selection_weights, shortest_prefix
from medfold.scoring import METRICS
from tests.support.ensemble_members import of_different_accuracy

AUC = METRICS["auc"]


def slow_greedy(stack, targets, rounds, order):
    picks = []
    for _ in range(rounds):
        scores = {}
        for member in order:
            scores[member] = roc_auc_score(targets, np.mean([stack[each, :, 0] for each in [*picks, member]], axis=0))
        top = max(scores.values())
        picks.append(next(member for member in order if scores[member] >= top - 1e-12))
    return picks


@pytest.mark.parametrize("seed", range(4))
def test_greedy_path_equals_a_slow_reference(seed):
    stack, targets = of_different_accuracy(count=5, seed=seed)
    order = np.random.default_rng(0).permutation(5)
    picks, scores = greedy_path(stack, targets, AUC, num_rounds=12)
    assert picks.tolist() == slow_greedy(stack, targets, 12, order)
    last = roc_auc_score(targets, np.mean([stack[each, :, 0] for each in picks], axis=0))
    assert scores[-1] == pytest.approx(last, abs=1e-12)


def test_ties_are_broken_by_the_seed():
    stack, targets = of_different_accuracy(count=1)
    same = np.repeat(stack, 6, axis=0)
    firsts = {greedy_path(same, targets, AUC, num_rounds=1, seed=seed)[0][0] for seed in range(20)}
    assert len(firsts) > 2
    again = [greedy_path(same, targets, AUC, num_rounds=1, seed=3)[0][0] for _ in range(2)]
    assert again[0] == again[1]


def test_shortest_prefix_scores_close_to_the_best():
    stack, targets = of_different_accuracy(count=5, n=1000)
    picks, scores = greedy_path(stack, targets, AUC)
    length = shortest_prefix(stack, targets, AUC, picks, scores)
    assert 1 < length <= np.argmax(scores) + 1
    assert scores.max() - scores[length - 1] < 0.005


def test_weights_count_the_picks_of_the_shortest_prefix():
    stack, targets = of_different_accuracy(count=5, n=1000)
    picks, scores = greedy_path(stack, targets, AUC)
    weights = selection_weights(stack, targets, AUC)
    assert weights.sum() == shortest_prefix(stack, targets, AUC, picks, scores)
    assert set(np.flatnonzero(weights)) <= set(picks.tolist())
