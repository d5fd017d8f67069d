"""Temperature scaling."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, softmax

from medfold.scoring import METRICS
from medfold.scoring.calibration import fit_temperature, to_logits, to_probabilities

LOSS = METRICS["log_loss"]


def binary(n=2000, temperature=3.0, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 1))
    return expit(temperature * logits), (rng.random(n) < expit(logits[:, 0])).astype(int)


def classes(n=2000, temperature=0.4, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 4))
    drawn = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return softmax(temperature * logits, axis=1), drawn


def labels(n=1000, temperature=2.0, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 3))
    return expit(temperature * logits), (rng.random((n, 3)) < expit(logits)).astype(int)


@pytest.mark.parametrize(("make", "exclusive"), [(binary, False), (classes, True), (labels, False)])
def test_temperature_matches_another_optimiser(make, exclusive):
    predictions, targets = make()
    found = fit_temperature(predictions, targets, LOSS)
    raw_logits = to_logits(predictions, exclusive)
    reference = minimize(
        lambda t: LOSS(targets, to_probabilities(raw_logits / t[0], exclusive)),
        [1.0],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-14},
    )
    assert found.parameters["temperature"] == pytest.approx(reference.x[0], rel=1e-4)
    assert LOSS(targets, found.apply(predictions)) == pytest.approx(reference.fun, abs=1e-9)


@pytest.mark.parametrize(("make", "temperature"), [(binary, 3.0), (classes, 0.4), (labels, 2.0)])
def test_temperature_scaling_recovers_known_temperature(make, temperature):
    predictions, targets = make(n=20_000, temperature=temperature)
    found = fit_temperature(predictions, targets, LOSS)
    assert found.parameters["temperature"] == pytest.approx(temperature, rel=0.06)
    ece = METRICS["ece"]
    assert ece(targets, found.apply(predictions)) < 0.25 * ece(targets, predictions)


def test_scaling_keeps_order_and_row_sums():
    predictions, targets = classes()
    scaled = fit_temperature(predictions, targets, LOSS).apply(predictions)
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    np.testing.assert_array_equal(scaled.argmax(axis=1), predictions.argmax(axis=1))


def test_predictions_of_0_and_1_have_finite_logits():
    assert np.isfinite(to_logits(np.array([[0.0], [1.0]]), False)).all()
    assert np.isfinite(to_logits(np.array([[0.0, 1.0]]), True)).all()
    back = to_probabilities(to_logits(np.array([[0.2, 0.8]]), True), True)
    np.testing.assert_allclose(back, [[0.2, 0.8]])


@pytest.mark.parametrize("exclusive", [False, True])
def test_confidence_of_all_correct_sample_is_bounded(exclusive):
    """If all 150 samples are correct, the lowest temperature has the least loss, and the next mistake a huge one."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 150)
    confidence = rng.uniform(0.8, 0.97, 150)
    of_positive = np.where(targets == 1, confidence, 1 - confidence)
    predictions = np.stack([1 - of_positive, of_positive], axis=1) if exclusive else of_positive[:, None]
    found = fit_temperature(predictions, targets, LOSS)
    most_confident = found.apply(predictions).max()
    assert most_confident == pytest.approx(1 - 1 / 301, abs=1e-4)
    others = np.where(rng.random(150) < 0.03, 1 - targets, targets)
    assert LOSS(others, found.apply(predictions)) < 1.3 * LOSS(others, predictions)
