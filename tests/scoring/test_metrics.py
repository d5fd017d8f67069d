"""Metrics compared with scikit-learn and with their published definitions; weights, titles, chance scores."""

import numpy as np
import pytest
from sklearn import metrics as reference

from medfold.scoring import METRICS, metric_of, metrics
from tests.support.helpers import competition_facts

SEEDS = range(30)
EXACT = {"abs": 1e-9, "rel": 0, "nan_ok": True}
WEIGHTS = np.array([[7.0, 14.0], [1.0, 2.0], [1.0, 1.0]])


def some_rows(rng):
    return int(rng.choice([1, 2, 5, 60]))


def probabilities(rng, shape):
    """Draws probabilities, some tied and some 0 or 1."""
    values = np.round(rng.random(shape), int(rng.integers(1, 5)))
    return np.where(rng.random(shape) < 0.1, rng.integers(0, 2, shape), values).astype(float)


def binary(seed):
    rng = np.random.default_rng(seed)
    n = some_rows(rng)
    return (rng.random(n) < rng.choice([0.1, 0.5])).astype(int), probabilities(rng, n)


def classes(seed, k=4):
    """Draws classes, some of them missing, and probabilities, some tied and some 0 or 1."""
    rng = np.random.default_rng(seed)
    n = some_rows(rng)
    predictions = probabilities(rng, (n, k)) + 1e-3 * rng.integers(0, 2, (n, 1)) + 1e-300
    certain = rng.random(n) < 0.1
    predictions[certain] = np.eye(k)[rng.integers(0, k, certain.sum())]
    return rng.choice(rng.choice(k, rng.integers(1, k + 1), replace=False), n), predictions / predictions.sum(1)[
        :, None
    ]


def labels(seed, k=3):
    rng = np.random.default_rng(seed)
    n = some_rows(rng)
    return (rng.random((n, k)) < rng.choice([0.0, 0.2, 0.5], k)).astype(int), probabilities(rng, (n, k))


def defined(function, targets, *rest):
    """Returns a score of scikit-learn, or NaN where it is undefined because there is one class."""
    return function(targets, *rest) if len(np.unique(targets)) == 2 else np.nan


def clipped(p):
    return np.clip(p, 1e-15, 1 - 1e-15)


def pauc_as_published(targets, p):
    """Partial AUC by the formula of ISIC 2024."""
    m = 1 - 0.8
    s = reference.roc_auc_score(1 - targets, -p, max_fpr=m)
    return 0.5 * m**2 + (m - 0.5 * m**2) / 0.5 * (s - 0.5)


def pauc_as_area(targets, p):
    """Partial AUC as the area between the ROC curve and the line at 0.8, summed over trapezia."""
    x, y, _ = reference.roc_curve(targets, p, drop_intermediate=False)
    area = 0.0
    for x1, x2, y1, y2 in zip(x[:-1], x[1:], y[:-1], y[1:], strict=True):
        if y1 < 0.8 < y2:
            x1, y1 = x1 + (x2 - x1) * (0.8 - y1) / (y2 - y1), 0.8
        if y2 > 0.8:
            area += (x2 - x1) * ((y1 - 0.8) + (y2 - 0.8)) / 2
    return area


def pf1_as_published(targets, p):
    p = np.clip(p, 0, 1)
    if not targets.sum():
        return np.nan
    hits = sum(value for value, target in zip(p, targets, strict=True) if target)
    precision, recall = hits / p.sum() if p.sum() else 0.0, hits / targets.sum()
    return 2 * precision * recall / (precision + recall) if precision and recall else 0.0


def ece_as_defined(confidence, true):
    total = 0.0
    for k in range(15):
        here = [i for i, c in enumerate(confidence) if k / 15 < c <= (k + 1) / 15 or (k == 0 and c == 0)]
        if here:
            total += len(here) / len(true) * abs(np.mean(confidence[here]) - np.mean(true[here]))
    return total


def qwk_as_defined(targets, decided, k):
    seen = np.zeros((k, k))
    for a, b in zip(targets, decided, strict=True):
        seen[a, b] += 1
    weights = np.array([[(a - b) ** 2 for b in range(k)] for a in range(k)])
    expected = np.outer(seen.sum(1), seen.sum(0)) / len(targets)
    return np.nan if not (weights * expected).sum() else 1 - (weights * seen).sum() / (weights * expected).sum()


def decided(p):
    return (p > 0.5).astype(int)


BINARY = {  # each metric, and its definition
    "auc": (metrics.auc, lambda targets, p: defined(reference.roc_auc_score, targets, p)),
    "pauc as published": (metrics.pauc, lambda targets, p: defined(pauc_as_published, targets, p)),
    "pauc as an area": (metrics.pauc, lambda targets, p: defined(pauc_as_area, targets, p)),
    "pf1": (
        lambda targets, p: metrics.pf1(targets, 3 * p - 1),
        lambda targets, p: pf1_as_published(targets, 3 * p - 1),
    ),
    "accuracy": (metrics.accuracy, lambda targets, p: reference.accuracy_score(targets, decided(p))),
    "balanced_accuracy": (
        metrics.balanced_accuracy,
        lambda targets, p: reference.balanced_accuracy_score(targets, decided(p)),
    ),
    "macro_f1": (
        metrics.macro_f1,
        lambda targets, p: reference.f1_score(targets, decided(p), average="macro", zero_division=0),
    ),
    "log_loss": (metrics.log_loss, lambda targets, p: reference.log_loss(targets, clipped(p), labels=[0, 1])),
    "ece": (metrics.ece, lambda targets, p: ece_as_defined(p, targets)),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BINARY)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_binary_metric_agrees_with_its_definition(name, seed):
    metric, definition = BINARY[name]
    targets, p = binary(seed)
    assert metric(targets, p) == pytest.approx(definition(targets, p), **EXACT)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("beta", [0.5, 1, 2])
def test_fbeta_agrees_with_its_definition(beta, seed):
    targets, p = binary(seed)
    expected = reference.fbeta_score(targets, decided(p), beta=beta, zero_division=0)
    assert metrics.fbeta(targets, p, beta) == pytest.approx(expected, **EXACT)


def log_loss_of_classes(targets, p):
    shares = clipped(p) / clipped(p).sum(1)[:, None]
    return -np.mean([np.log(row[target]) for row, target in zip(shares, targets, strict=True)])


CLASSES = {
    "mean_auc": (
        metrics.mean_auc,
        lambda targets, p: np.mean([defined(reference.roc_auc_score, targets == k, p[:, k]) for k in range(4)]),
    ),
    "accuracy": (metrics.accuracy, lambda targets, p: reference.accuracy_score(targets, p.argmax(1))),
    "balanced_accuracy": (
        metrics.balanced_accuracy,
        lambda targets, p: reference.balanced_accuracy_score(targets, p.argmax(1)),
    ),
    "macro_f1": (
        metrics.macro_f1,
        lambda targets, p: reference.f1_score(targets, p.argmax(1), average="macro", zero_division=0),
    ),
    "qwk": (metrics.qwk, lambda targets, p: qwk_as_defined(targets, p.argmax(1), 4)),
    "log_loss": (metrics.log_loss, log_loss_of_classes),
    "ece": (metrics.ece, lambda targets, p: ece_as_defined(p.max(1), p.argmax(1) == targets)),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_metric_of_classes_agrees_with_its_definition(name, seed):
    metric, definition = CLASSES[name]
    targets, p = classes(seed)
    assert metric(targets, p) == pytest.approx(definition(targets, p), **EXACT)


def mean_of_labels(function):
    """Returns the mean of a function over the labels."""
    return lambda targets, p: np.mean([function(targets[:, i], p[:, i]) for i in range(targets.shape[1])])


def weighted_log_loss_as_defined(targets, p):
    rows = []
    for row_targets, row in zip(targets, clipped(p), strict=True):
        terms = [WEIGHTS[i, target] for i, target in enumerate(row_targets)]
        each = [-np.log(q if target else 1 - q) for target, q in zip(row_targets, row, strict=True)]
        rows.append(np.dot(terms, each) / sum(terms))
    return np.mean(rows)


LABELS = {
    "mean_auc": (
        metrics.mean_auc,
        mean_of_labels(lambda targets, p: defined(reference.roc_auc_score, targets, p)),
    ),
    "accuracy": (
        metrics.accuracy,
        mean_of_labels(lambda targets, p: reference.accuracy_score(targets, decided(p))),
    ),
    "macro_f1": (
        metrics.macro_f1,
        lambda targets, p: reference.f1_score(targets, decided(p), average="macro", zero_division=0),
    ),
    "fbeta": (
        lambda targets, p: metrics.fbeta(targets, p, 2),
        lambda targets, p: reference.fbeta_score(targets, decided(p), beta=2, average="macro", zero_division=0),
    ),
    "log_loss": (
        metrics.log_loss,
        mean_of_labels(lambda targets, p: reference.log_loss(targets, clipped(p), labels=[0, 1])),
    ),
    "ece": (metrics.ece, mean_of_labels(lambda targets, p: ece_as_defined(p, targets))),
    "weighted_log_loss": (
        lambda targets, p: metrics.weighted_log_loss(targets, p, WEIGHTS),
        weighted_log_loss_as_defined,
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", LABELS)
def test_metric_of_labels_agrees_with_its_definition(name, seed):
    metric, definition = LABELS[name]
    targets, p = labels(seed)
    assert metric(targets, p) == pytest.approx(definition(targets, p), **EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_weighted_log_loss_of_rsna_2019_agrees_with_scikit_learn(seed):
    targets, p = labels(seed, k=6)
    names = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
    score = {"metric": "weighted_log_loss", "weights": {"any": 2}}
    facts = competition_facts("multilabel", labels={"targets": names}, score=score)
    sizes = np.tile([1, 1, 1, 1, 1, 2], len(p))
    expected = reference.log_loss(targets.ravel(), clipped(p).ravel(), sample_weight=sizes, labels=[0, 1])
    assert metric_of(facts)(targets, p) == pytest.approx(expected, **EXACT)


def binary_as_in_medmnist(rng):
    targets, p = np.append([0, 1], rng.integers(0, 2, 40)), probabilities(rng, 42)
    return targets, p, reference.roc_auc_score(targets, p), reference.accuracy_score(targets, p > 0.5)


def classes_as_in_medmnist(rng):
    targets, p = np.append([0, 1, 2, 3], rng.integers(0, 4, 40)), probabilities(rng, (44, 4))
    auc = 0
    for i in range(p.shape[1]):
        auc += reference.roc_auc_score((targets == i).astype(float), p[:, i])
    return targets, p, auc / p.shape[1], reference.accuracy_score(targets, np.argmax(p, axis=-1))


def labels_as_in_medmnist(rng):
    targets, p = np.append([[0] * 3, [1] * 3], rng.integers(0, 2, (40, 3)), axis=0), probabilities(rng, (42, 3))
    auc = accuracy = 0
    for i in range(p.shape[1]):
        auc += reference.roc_auc_score(targets[:, i], p[:, i])
        accuracy += reference.accuracy_score(targets[:, i], p[:, i] > 0.5)
    return targets, p, auc / p.shape[1], accuracy / p.shape[1]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("task", "auc"),
    [
        (binary_as_in_medmnist, metrics.auc),
        (classes_as_in_medmnist, metrics.mean_auc),
        (labels_as_in_medmnist, metrics.mean_auc),
    ],
)
def test_auc_and_accuracy_match_medmnist(task, auc, seed):
    """After getAUC and getACC of medmnist 3.0, Apache-2.0, https://github.com/MedMNIST/MedMNIST."""
    targets, p, expected_auc, expected_accuracy = task(np.random.default_rng(seed))
    assert auc(targets, p) == pytest.approx(expected_auc, **EXACT)
    assert metrics.accuracy(targets, p) == pytest.approx(expected_accuracy, **EXACT)


def test_probability_one_half_is_negative():
    half = np.array([0.5, 0.5])
    assert metrics.accuracy(np.array([0, 1]), half) == 0.5
    assert metrics.balanced_accuracy(np.array([0, 1]), half) == 0.5
    assert metrics.macro_f1(np.array([[0], [1]]), half[:, None]) == 0


@pytest.mark.parametrize(
    ("metric", "targets", "predictions"),
    [
        (metrics.auc, np.ones(5, int), np.linspace(0, 1, 5)),
        (metrics.pauc, np.zeros(5, int), np.linspace(0, 1, 5)),
        (metrics.pf1, np.zeros(5, int), np.linspace(0, 1, 5)),
        (metrics.mean_auc, np.array([0, 1, 1]), np.full((3, 3), 1 / 3)),
        (metrics.qwk, np.zeros(3, int), np.eye(3)[[0, 0, 0]]),
    ],
)
def test_undefined_metric_is_nan(metric, targets, predictions):
    assert np.isnan(metric(targets, predictions))


def test_pf1_without_a_hit_is_zero():
    assert metrics.pf1(np.ones(5, int), np.zeros(5)) == 0


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_is_nan_without_rows(name):
    metric = METRICS[name]
    weights = {"weights": WEIGHTS} if metric.uses_weights else {}
    for task in metric.tasks:
        targets = np.zeros((0, 3) if task == "multilabel" else 0, int)
        predictions = np.zeros(0 if task == "binary" else (0, 3))
        assert np.isnan(metric.function(targets, predictions, **weights)), task


def test_best_pauc_is_one_fifth():
    assert metrics.pauc(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])) == pytest.approx(0.2, abs=1e-12)


def test_ece_bins_are_closed_on_the_right():
    """0.2 = 3/15 is in the bin below the edge, the next larger number in the bin above."""
    apart = metrics.ece(np.array([0, 1]), np.array([0.2, np.nextafter(0.2, 1)]))
    together = metrics.ece(np.array([0, 1]), np.array([0.2, 0.2]))
    assert (apart, together) == pytest.approx((0.5, 0.3), abs=1e-9)
