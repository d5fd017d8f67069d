"""Summary of an ensemble: members with intervals and weights, methods, the choice, post-processing."""

import numpy as np
import pytest

from medfold.data import make_dataset
from medfold.ensemble import ensemble_runs
from medfold.ensemble.ensemble_summary import summarise_ensemble
from medfold.scoring import METRICS, bootstrap_interval


def summary(competition, names, **options):
    found = ensemble_runs(competition, names, make_dataset(competition), **options)
    return found, summarise_ensemble(competition.facts, found)


def test_members_have_score_interval_and_correlation_of_errors(two_runs):
    found, short = summary(two_runs, ["weak", "strong"], method_name="mean")
    assert [each.name for each in short.members] == ["strong", "weak"]
    for each, predictions in zip(short.members, found.members.predictions, strict=True):
        assert each.value == METRICS["auc"](found.members.targets, predictions)
        interval = bootstrap_interval(METRICS["auc"], found.members.targets, predictions, found.members.groups)
        assert (each.low, each.high) == interval
        assert each.weight is None  # the mean has no weights
    (one, across), (across_again, other) = (each.error_correlation for each in short.members)
    assert (one, other) == (pytest.approx(1), pytest.approx(1))
    assert across == pytest.approx(across_again)
    assert across < 0.99


def test_weights_are_those_of_the_chosen_method(two_runs):
    found, short = summary(two_runs, ["weak", "strong"], method_name="selection")
    weights = found.method_choice.chosen.fitted.parameters["weights"]
    assert [each.weight for each in short.members] == [pytest.approx(np.mean(row)) for row in weights]
    assert sum(each.weight for each in short.members) == pytest.approx(1)


def test_methods_have_scores_and_one_is_chosen(two_runs):
    found, short = summary(two_runs, ["weak", "strong"])
    assert [each.name for each in short.methods] == [each.method.name for each in found.method_choice.candidates]
    assert [(each.cross_fitted, each.in_sample, each.gain) for each in short.methods] == [
        (each.cross_fitted, each.in_sample, each.gain) for each in found.method_choice.candidates
    ]
    assert [each.name for each in short.methods if each.is_chosen] == [found.method_choice.chosen.method.name]
    assert short.chosen.title == found.method_choice.chosen.method.title
    assert short.methods[0].gain is None  # the mean itself
    assert (short.metric, short.score, short.calibration) == ("auc", found.score, found.calibration)


def test_single_run_has_no_members(two_runs):
    _, short = summary(two_runs, ["weak"])
    assert short.members == []
    assert [each.name for each in short.methods] == ["mean"]
    assert short.post_processing is None  # AUC does not depend on it
