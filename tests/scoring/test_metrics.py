import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, roc_auc_score
from sklearn.metrics import log_loss as reference_log_loss

from medfold.errors import UserError
from medfold.scoring import metrics

SEEDS = range(20)


def binary(seed):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, 60)
    return targets, np.round(rng.random(60), seed % 4 + 1)  # rounded: ties


def classes(seed, k=4):
    rng = np.random.default_rng(seed)
    predictions = rng.dirichlet(np.ones(k), 80)
    return rng.integers(0, k, 80), predictions


def labels(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, (60, 3)), rng.random((60, 3))


@pytest.mark.parametrize("seed", SEEDS)
def test_binary_metrics_agree_with_scikit_learn(seed):
    targets, p = binary(seed)
    assert metrics.auc(targets, p) == pytest.approx(roc_auc_score(targets, p), abs=1e-9)
    assert metrics.accuracy(targets, p) == pytest.approx(accuracy_score(targets, p > 0.5), abs=1e-9)
    clipped = np.clip(p, 1e-15, 1 - 1e-15)
    assert metrics.log_loss(targets, p) == pytest.approx(reference_log_loss(targets, clipped), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_class_metrics_agree_with_scikit_learn(seed):
    targets, p = classes(seed)
    one_vs_rest = np.mean([roc_auc_score(targets == k, p[:, k]) for k in range(4)])
    assert metrics.mean_auc(targets, p) == pytest.approx(one_vs_rest, abs=1e-9)
    assert metrics.accuracy(targets, p) == pytest.approx(accuracy_score(targets, p.argmax(1)), abs=1e-9)
    assert metrics.qwk(targets, p) == pytest.approx(
        cohen_kappa_score(targets, p.argmax(1), weights="quadratic"), abs=1e-9
    )
    assert metrics.log_loss(targets, p) == pytest.approx(reference_log_loss(targets, p), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_label_metrics_agree_with_scikit_learn(seed):
    targets, p = labels(seed)
    assert metrics.mean_auc(targets, p) == pytest.approx(roc_auc_score(targets, p, average="macro"), abs=1e-9)
    shares = np.mean([accuracy_score(targets[:, k], p[:, k] > 0.5) for k in range(3)])
    assert metrics.accuracy(targets, p) == pytest.approx(shares, abs=1e-9)
    losses = np.mean([reference_log_loss(targets[:, k], p[:, k]) for k in range(3)])
    assert metrics.log_loss(targets, p) == pytest.approx(losses, abs=1e-9)


def test_one_half_is_not_a_positive():
    assert metrics.accuracy(np.array([0, 1]), np.array([0.5, 0.5])) == 0.5


def test_undefined_is_nan_not_zero():
    assert np.isnan(metrics.auc(np.ones(5, int), np.linspace(0, 1, 5)))
    assert np.isnan(metrics.mean_auc(np.array([0, 1, 1]), np.full((3, 3), 1 / 3)))
    assert np.isnan(metrics.qwk(np.zeros(3, int), np.eye(3)[[0, 0, 0]]))
    assert np.isnan(metrics.accuracy(np.array([]), np.array([])))


def test_a_metric_knows_its_direction_and_tasks():
    assert metrics.get("auc", "binary").sign == 1
    assert metrics.get("log_loss", "multilabel").sign == -1
    with pytest.raises(UserError, match="unknown metric 'acuracy' .did you mean 'accuracy'"):
        metrics.get("acuracy", "binary")
    with pytest.raises(UserError, match="auc is not defined for task ordinal"):
        metrics.get("auc", "ordinal")
