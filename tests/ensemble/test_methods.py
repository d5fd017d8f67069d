"""Ensemble methods, compared with other libraries and a slow reference, and on noise."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, softmax
from scipy.stats import gmean, rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medfold.ensemble.methods import METHODS, simplex_weights
from medfold.scoring import METRICS, FittedTransform
from tests.support.ensemble_members import of_different_accuracy

AUC, LOSS, MEAN_AUC = METRICS["auc"], METRICS["log_loss"], METRICS["mean_auc"]


def classes(count=3, n=300, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 4, n)
    strength = np.linspace(0.5, 1.5, count)[:, None, None]
    return softmax(strength * np.eye(4)[targets] * 2 + rng.normal(0, 1, (count, n, 4)), axis=2), targets


def labels(count=3, n=300, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, (n, 3))
    strength = np.linspace(0.5, 1.5, count)[:, None, None]
    return expit(strength * (targets - 0.5) * 2 + rng.normal(0, 1, (count, n, 3))), targets


def fit(name, stack, targets, metric, per_class=False):
    return METHODS[name].fit(stack, targets, metric, per_class)


@pytest.mark.parametrize("make", [of_different_accuracy, classes, labels])
@pytest.mark.parametrize("name", METHODS.names())
@pytest.mark.parametrize("per_class", [False, True])
def test_every_method_gives_probabilities_for_every_task(make, name, per_class, tmp_path):
    stack, targets = make()
    metric = AUC if make is of_different_accuracy else MEAN_AUC
    fitted = fit(name, stack, targets, metric, per_class)
    fitted.save(tmp_path / "ensemble.npz")
    again = FittedTransform.load(tmp_path / "ensemble.npz").apply(stack)
    np.testing.assert_array_equal(again, fitted.apply(stack))  # as in a notebook
    blended = fitted.apply(stack[:, :50])
    assert blended.shape == stack[0, :50].shape
    assert (blended >= 0).all()
    assert (blended <= 1).all()
    if make is classes:
        np.testing.assert_allclose(blended.sum(axis=1), 1)
    alone = np.concatenate([fitted.apply(stack[:, [row]]) for row in range(50)])
    np.testing.assert_allclose(alone, blended, atol=1e-12)  # a prediction does not depend on the other images
    assert metric(targets, fitted.apply(stack)) > 0.6


def test_means_equal_those_of_scipy_and_numpy():
    stack, targets = classes()
    geometric = gmean(stack, axis=0)
    expected = geometric / geometric.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fit("geometric", stack, targets, LOSS).apply(stack), expected, atol=1e-9)
    stack, targets = of_different_accuracy()
    up, down = gmean(stack, axis=0), gmean(1 - stack, axis=0)
    np.testing.assert_allclose(fit("geometric", stack, targets, LOSS).apply(stack), up / (up + down), atol=1e-9)
    np.testing.assert_allclose(fit("mean", stack, targets, LOSS).apply(stack), stack.mean(axis=0))
    n = stack.shape[1]
    ranks = (rankdata(stack[:, :, 0], axis=1) / (n + 1)).mean(axis=0)
    np.testing.assert_allclose(fit("rank", stack, targets, AUC).apply(stack)[:, 0], ranks, atol=1e-9)


@pytest.mark.parametrize(("name", "limit"), [("selection", 0), ("optimised", 0.08)])
@pytest.mark.parametrize("seed", range(20))
def test_noise_gets_little_or_no_weight_beside_good_members(seed, name, limit):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, 400)
    good = expit(rng.normal(1.5 * targets, 1))
    stack = np.stack([good, good, rng.random(400)])[:, :, None]
    weights = fit(name, stack, targets, AUC).parameters["weights"]
    assert weights.sum() == pytest.approx(1)
    assert weights[2] <= limit


def test_selection_weighs_all_independent_members():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 2000)
    stack = expit(rng.normal(1.2 * targets - 0.6, 1, (3, 2000)))[:, :, None]  # three members with independent errors
    fitted = fit("selection", stack, targets, AUC)
    assert (fitted.parameters["weights"] > 0.15).all()
    assert AUC(targets, fitted.apply(stack)) > max(AUC(targets, each) for each in stack) + 0.05


@pytest.mark.parametrize("make", [of_different_accuracy, classes, labels])
@pytest.mark.parametrize("seed", range(3))
def test_optimised_weights_reach_the_loss_of_another_optimiser(make, seed):
    stack, targets = make(count=4, seed=seed)
    weights = simplex_weights(stack, targets)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)

    def loss(free):
        return LOSS(targets, np.tensordot(softmax(free), stack, axes=1))

    reference = minimize(
        loss, np.zeros(4), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-13, "maxiter": 8000}
    )
    reached = LOSS(targets, np.tensordot(weights, stack, axes=1))
    assert reached <= reference.fun + 1e-7


def test_per_class_weights_differ_between_classes():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, (500, 2))
    good, noise = expit(rng.normal(2 * targets - 1, 1)), rng.random((500, 2))
    one, other = good.copy(), noise.copy()
    one[:, 1], other[:, 1] = noise[:, 1], good[:, 1]  # each member is good at one label only
    for name in ("selection", "optimised"):
        fitted = fit(name, np.stack([one, other]), targets, MEAN_AUC, per_class=True)
        weights = fitted.parameters["weights"]
        assert weights.shape == (2, 2)
        assert weights[0, 0] > 0.9
        assert weights[1, 1] > 0.9
        np.testing.assert_allclose(weights.sum(axis=0), 1)
        plain = fit(name, np.stack([one, other]), targets, MEAN_AUC)
        assert MEAN_AUC(targets, fitted.apply(np.stack([one, other]))) > MEAN_AUC(
            targets, plain.apply(np.stack([one, other]))
        )


def test_per_class_selection_ranks_by_auc_if_the_metric_does():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, (500, 2))
    ranks_well = expit(rng.normal(3 * targets, 1) + 6)  # all near 1: a good order, a bad log loss
    calibrated = expit(rng.normal(0.5 * (2 * targets - 1), 1) / 3)
    stack = np.stack([ranks_well, calibrated])
    by_order = fit("selection", stack, targets, MEAN_AUC, per_class=True).parameters["weights"]
    by_loss = fit("selection", stack, targets, LOSS, per_class=True).parameters["weights"]
    assert (by_order[0] > by_order[1]).all()
    assert (by_loss[0] < by_loss[1]).all()


def test_stacking_inverts_a_reversed_member():
    stack, targets = of_different_accuracy()
    upside_down = np.concatenate([stack[:1], 1 - stack[1:2]])
    assert AUC(targets, fit("stacking", upside_down, targets, AUC).apply(upside_down)) > AUC(targets, stack[1]) - 0.02
    assert log_loss(targets, fit("stacking", stack, targets, AUC).apply(stack)[:, 0]) < 0.6


def test_stacking_handles_absent_classes_and_labels():
    stack, targets = classes()
    targets = np.where(targets == 3, 0, targets)
    blended = fit("stacking", stack, targets, LOSS).apply(stack)
    assert (blended[:, 3] == 0).all()
    stack, targets = labels()
    targets[:, 2] = 0
    blended = fit("stacking", stack, targets, LOSS).apply(stack)
    np.testing.assert_allclose(blended[:, 2], stack[:, :, 2].mean(axis=0))
    stack, targets = classes()
    nothing = fit("stacking", stack, np.zeros_like(targets), LOSS).apply(stack)
    np.testing.assert_allclose(nothing, stack.mean(axis=0))


def test_selection_on_one_class_weighs_members_equally():
    stack, targets = of_different_accuracy()
    weights = fit("selection", stack, np.ones_like(targets), AUC).parameters["weights"]
    np.testing.assert_allclose(weights, 0.25)


@pytest.mark.parametrize("known", [[0, 1, 2], [0, 2]])
def test_stacking_equals_logistic_regression_of_scikit_learn(known):
    stack, targets = classes()
    targets = np.array(known)[targets % len(known)]
    features = np.concatenate(list(np.log(stack)), axis=1)
    reference = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features, targets)
    blended = fit("stacking", stack, targets, LOSS).apply(stack)
    np.testing.assert_allclose(blended[:, known], reference.predict_proba(features), atol=1e-12)
