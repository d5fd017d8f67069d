"""Calibration error of an ensemble: measured on labels that nothing was fitted on."""

import numpy as np

from medfold.ensemble.calibration import measure_calibration
from medfold.ensemble.choose_method import choose_method
from medfold.ensemble.members import MemberPredictions
from tests.support.helpers import competition_facts


def test_calibration_gain_is_cross_fitted_with_the_blend():
    facts = competition_facts("binary", score={"metric": "auc"})
    before, after = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        names, folds = [f"m{number}" for number in range(20)], np.random.default_rng(seed).permutation(120) % 5
        noise = MemberPredictions(names, rng.random((20, 120, 1)), rng.integers(0, 2, 120), folds, np.arange(120))
        found = measure_calibration(noise, facts, choose_method(noise, facts, method_name="stacking"))
        before.append(found.before)
        after.append(found.after)
    assert np.mean(after) > np.mean(before) - 0.03  # no gain from noise


def test_calibration_of_a_rank_mean_is_that_of_the_arithmetic_mean():
    facts = competition_facts("binary", score={"metric": "auc"})
    rng = np.random.default_rng(0)
    stack, targets, folds = rng.random((2, 60, 1)), rng.integers(0, 2, 60), np.arange(60) % 3
    two = MemberPredictions(["a", "b"], stack, targets, folds, np.arange(60))
    by_rank, by_mean = (choose_method(two, facts, method_name=method) for method in ("rank", "mean"))
    assert measure_calibration(two, facts, by_rank) == measure_calibration(two, facts, by_mean)
