import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, softmax

from medfold.scoring.calibration import temperature_scaling, to_logits, to_probabilities
from medfold.scoring.metric import METRICS

LOSS = METRICS["log_loss"]


def binary(n=2000, heat=3.0, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, (n, 1))
    return expit(heat * z), (rng.random(n) < expit(z[:, 0])).astype(int)


def classes(n=2000, heat=0.4, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, (n, 4))
    drawn = (softmax(z, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return softmax(heat * z, axis=1), drawn


def labels(n=1000, heat=2.0, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, (n, 3))
    return expit(heat * z), (rng.random((n, 3)) < expit(z)).astype(int)


@pytest.mark.parametrize(("make", "exclusive"), [(binary, False), (classes, True), (labels, False)])
def test_temperature_matches_another_optimiser(make, exclusive):
    predictions, targets = make()
    found = temperature_scaling(predictions, targets, LOSS)
    raw = to_logits(predictions, exclusive)
    reference = minimize(
        lambda t: LOSS(targets, to_probabilities(raw / t[0], exclusive)),
        [1.0],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-14},
    )
    assert found.parameters["temperature"] == pytest.approx(reference.x[0], rel=1e-4)
    assert LOSS(targets, found.apply(predictions)) == pytest.approx(reference.fun, abs=1e-9)


@pytest.mark.parametrize(("make", "heat"), [(binary, 3.0), (classes, 0.4), (labels, 2.0)])
def test_temperature_scaling_recovers_known_temperature(make, heat):
    predictions, targets = make(n=20_000, heat=heat)
    found = temperature_scaling(predictions, targets, LOSS)
    assert found.parameters["temperature"] == pytest.approx(heat, rel=0.06)
    ece = METRICS["ece"]
    assert ece(targets, found.apply(predictions)) < 0.25 * ece(targets, predictions)


def test_scaling_keeps_order_and_row_sums():
    predictions, targets = classes()
    scaled = temperature_scaling(predictions, targets, LOSS).apply(predictions)
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    np.testing.assert_array_equal(scaled.argmax(axis=1), predictions.argmax(axis=1))


def test_predictions_of_0_and_1_have_finite_logits():
    assert np.isfinite(to_logits(np.array([[0.0], [1.0]]), False)).all()
    assert np.isfinite(to_logits(np.array([[0.0, 1.0]]), True)).all()
    back = to_probabilities(to_logits(np.array([[0.2, 0.8]]), True), True)
    np.testing.assert_allclose(back, [[0.2, 0.8]])


@pytest.mark.parametrize("exclusive", [False, True])
def test_confidence_of_all_correct_sample_is_bounded(exclusive):
    """150 samples, all right: the coldest temperature would be best for them, and ruinous for the first one wrong."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 150)
    p = rng.uniform(0.8, 0.97, 150)
    right = np.where(targets == 1, p, 1 - p)
    predictions = np.stack([1 - right, right], axis=1) if exclusive else right[:, None]
    found = temperature_scaling(predictions, targets, LOSS)
    surest = found.apply(predictions).max()
    assert surest == pytest.approx(1 - 1 / 301, abs=1e-4)
    others = np.where(rng.random(150) < 0.03, 1 - targets, targets)
    assert LOSS(others, found.apply(predictions)) < 1.3 * LOSS(others, predictions)
