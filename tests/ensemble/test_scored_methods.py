"""The chosen method: the prediction for a unit without an image, and the probabilities behind decisions."""

import numpy as np
import pytest
from scipy.special import expit

from medfold.ensemble.choose_method import choose_method
from medfold.ensemble.methods import METHODS
from tests.support.ensemble_members import independent, members
from tests.support.helpers import competition_facts


@pytest.mark.parametrize("name", METHODS.names())
@pytest.mark.parametrize("metric", ["auc", "log_loss", "pf1"])
def test_fallback_without_image_predicts_the_prior(name, metric):
    """Positives are rare, so the prior is above the predictions for most images."""
    rng = np.random.default_rng(0)
    targets = (rng.random(1000) < 0.05).astype(int)
    stack = expit(rng.normal(4 * targets - 5, 1, (3, 1000)))[:, :, None]
    made = members(stack, targets)
    decision = choose_method(made, competition_facts("binary", score={"metric": metric}), name)
    blank = decision.fallback(made, np.array([0.05]))
    below = np.mean(decision.used.fitted.apply(stack)[:, 0] < blank[0])
    if name == "rank":
        assert below == pytest.approx(0.5, abs=0.05)
    elif metric == "pf1":
        assert decision.post_processed.helps
        assert blank[0] < 0.05  # sharpened like all predictions
        assert 0.5 < below < 0.98
    else:
        assert blank[0] == 0.05


def test_fallback_without_image_decides_by_the_prior():
    stack, targets = independent(count=2)
    facts = competition_facts("binary", score={"metric": "macro_f1"})
    made = members(stack, targets)
    decision = choose_method(made, facts, "mean")
    assert decision.fallback(made, np.array([0.9])) > 0.5
    assert decision.fallback(made, np.array([0.01])) < 0.5


def test_probabilities_behind_decisions_are_the_mean_of_members():
    stack, targets = independent(count=2)
    for metric, name in (("auc", "rank"), ("macro_f1", "mean"), ("pf1", "mean"), ("macro_f1", "rank")):
        decision = choose_method(members(stack, targets), competition_facts("binary", score={"metric": metric}), name)
        found = decision.used_for_probabilities
        np.testing.assert_allclose(found.fitted.apply(stack), stack.mean(axis=0))
        np.testing.assert_allclose(found.predictions, stack.mean(axis=0))
    decision = choose_method(
        members(stack**3, targets), competition_facts("binary", score={"metric": "log_loss"}), "mean"
    )
    assert decision.post_processed.helps  # a temperature, whose results are probabilities
    assert decision.used_for_probabilities is decision.used
