"""Built-in metrics.

Each is a function with the decorator `@metric`, and takes whole columns:

- targets: int (n,) of 0 and 1 (binary), int (n,) class numbers (multi-class, ordinal), int (n, labels) of 0 and 1;
- predictions: float (n,) (binary), float (n, classes) that sum to 1, or float (n, labels).

A metric is nan where it is undefined, such as an AUC when all samples are of one class.
"""

import numpy as np

from medfold.scoring import many_resamples
from medfold.scoring.confidence_bins import bin_of_confidence
from medfold.scoring.decisions import targets_as_columns, to_classes
from medfold.scoring.metric_registry import metric


@metric("AUC", tasks=("binary",), is_rank_based=True)
def auc(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Area under the ROC curve: the probability that a positive ranks above a negative (Mann-Whitney U).

    Ties count as half. Undefined if all samples are of one class.
    """
    positives, negatives = predictions[targets == 1], np.sort(predictions[targets != 1])
    if not len(positives) or not len(negatives):
        return float("nan")
    below = np.searchsorted(negatives, positives, side="left")
    below_or_equal = np.searchsorted(negatives, positives, side="right")
    return float((below + below_or_equal).mean() / (2 * len(negatives)))


@metric(
    "mean AUC",
    tasks=("multiclass", "multilabel", "ordinal"),
    is_rank_based=True,
    of_resamples=many_resamples.mean_auc,
)
def mean_auc(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Unweighted mean of the AUCs of each label, or of each class against the rest.

    For labels this is Kaggle's 'mean column-wise ROC AUC', for classes the AUC of MedMNIST (Yang et al. 2023,
    doi 10.1038/s41597-022-01721-8). Undefined if the AUC of any column is.
    """
    num_columns = predictions.shape[1]
    labels = targets_as_columns(targets, num_columns)
    num_positives = (labels == 1).sum(axis=0)
    if not ((num_positives > 0) & (num_positives < len(labels))).all():  # quick for resamples that lack rare classes
        return float("nan")
    return float(np.mean([auc(labels[:, column], predictions[:, column]) for column in range(num_columns)]))


@metric("pAUC above 80 % TPR", tasks=("binary",))
def pauc(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Partial AUC: the area under the ROC curve above a true positive rate of 80 %, 0 to 0.2 (ISIC 2024).

    Only the positives with the lowest predictions contribute. Each adds a strip of height 1 / positives, as wide as the
    share of negatives below it. A tie is a straight line on the ROC curve.
    """
    positives, negatives = predictions[targets == 1], np.sort(predictions[targets != 1])
    if not len(positives) or not len(negatives):
        return float("nan")
    values, counts = np.unique(positives, return_counts=True)
    # Share of positives below each value, from 0 to 1.
    missed = np.concatenate([[0.0], np.cumsum(counts) / len(positives)])
    start = np.searchsorted(negatives, values, side="left") / len(negatives)
    end = np.searchsorted(negatives, values, side="right") / len(negatives)
    height = np.clip((1 - 0.8) - missed[:-1], 0, np.diff(missed))
    # Where the limit lies within a tie, the strip ends on the straight line of that tie.
    middle = start + (end - start) * height / np.diff(missed) / 2
    return float(np.sum(height * middle))


@metric("pF1", tasks=("binary",), post_processing="sharpening")
def pf1(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Probabilistic F1 (RSNA breast cancer 2023): F1 with probabilities, clipped to 0..1, instead of decisions.

    Precision P is the sum of p over positives / the sum of all p. Recall R is the sum of p over positives / the number
    of positives. 2 P R / (P + R) is then twice the sum of p over positives / (sum of all p + number of positives).
    Undefined without positives.
    """
    clipped = np.clip(predictions.astype(np.float64), 0, 1)
    positive = targets == 1
    if not positive.any():
        return float("nan")
    return float(2 * clipped[positive].sum() / (clipped.sum() + positive.sum()))


@metric("accuracy", response_method="predict", of_resamples=many_resamples.accuracy)
def accuracy(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Share of correct decisions; for labels, the mean of their shares.

    Binary classes and labels are decided strictly above one half.
    """
    decided = (predictions > 0.5).astype(int) if targets.ndim == 2 else to_classes(predictions)
    return float(np.mean(decided == targets)) if len(targets) else float("nan")


@metric(
    "balanced accuracy",
    tasks=("binary", "multiclass", "ordinal"),
    response_method="predict",
    of_resamples=many_resamples.balanced_accuracy,
)
def balanced_accuracy(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Mean recall of the classes; classes without samples are left out."""
    hits, truth, _ = _counts(targets, predictions)
    present = truth > 0
    return float(np.mean(hits[present] / truth[present])) if present.any() else float("nan")


@metric("macro F1", response_method="predict", of_resamples=many_resamples.macro_f1)
def macro_f1(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Unweighted mean of the F1 of each class (both of a binary task), or of each label, decided strictly above 0.5.

    Classes that are neither true nor decided anywhere are left out; labels of this kind count as 0. Both are as in
    scikit-learn.
    """
    if not len(targets):
        return float("nan")
    if targets.ndim == 2:
        decided, true = predictions > 0.5, targets == 1
        hits = (decided & true).sum(axis=0)
        totals = decided.sum(axis=0) + true.sum(axis=0)
        return float(np.mean(2 * hits / np.maximum(totals, 1)))
    hits, truth, decided = _counts(targets, predictions)
    present = truth + decided > 0
    return float(np.mean(2 * hits[present] / (truth + decided)[present]))


@metric(
    "F-beta",
    tasks=("binary", "multilabel"),
    response_method="predict",
    uses_beta=True,
    of_resamples=many_resamples.fbeta,
)
def fbeta(targets: np.ndarray, predictions: np.ndarray, beta: float = 1.0) -> float:
    """F-beta of the positive class; for labels, the mean of theirs: recall counts beta times as much as precision.

    (1 + beta^2) P R / (beta^2 P + R) (van Rijsbergen 1979), decided strictly above 0.5. It is 0 where no positive
    decision is correct, as in scikit-learn.
    """
    if not len(targets):
        return float("nan")
    true, decided = targets.reshape(len(targets), -1) == 1, predictions.reshape(len(predictions), -1) > 0.5
    hits = (true & decided).sum(axis=0)
    beta_squared = beta**2
    scores = (1 + beta_squared) * hits / np.maximum(beta_squared * true.sum(axis=0) + decided.sum(axis=0), 1e-12)
    return float(np.mean(scores))


def _counts(targets: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns how often each class is decided correctly, is true, and is decided: int (classes,) each."""
    decided = to_classes(predictions)
    num_classes = 2 if predictions.ndim == 1 else predictions.shape[1]
    hits = targets[decided == targets]
    num_hits, num_true, num_decided = (
        np.bincount(classes.astype(np.int64), minlength=num_classes) for classes in (hits, targets, decided)
    )
    return num_hits, num_true, num_decided


@metric("QWK", tasks=("ordinal",), response_method="predict", post_processing="cut_points")
def qwk(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Cohen's kappa with quadratic weights between the true and the decided grades (Cohen 1968)."""
    from sklearn.metrics import cohen_kappa_score

    decided = to_classes(predictions)
    if len(targets) == 0 or len(np.union1d(targets, decided)) < 2:
        return float("nan")
    return cohen_kappa_score(targets, decided, weights="quadratic", labels=np.arange(predictions.shape[1]))


@metric("log loss", higher_is_better=False, post_processing="temperature", of_resamples=many_resamples.log_loss)
def log_loss(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Mean negative log probability of the truth, with probabilities clipped to 1e-15; for labels, their mean."""
    if not len(targets):
        return float("nan")
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    if targets.ndim == 1 and clipped.ndim == 2:
        true = clipped[np.arange(len(targets)), targets] / clipped.sum(axis=1)
        return float(-np.mean(np.log(true)))
    return float(-np.mean(targets * np.log(clipped) + (1 - targets) * np.log(1 - clipped)))


@metric(
    "weighted log loss",
    higher_is_better=False,
    tasks=("multilabel",),
    uses_weights=True,
    post_processing="temperature",
    of_resamples=many_resamples.weighted_log_loss,
)
def weighted_log_loss(targets: np.ndarray, predictions: np.ndarray, weights: np.ndarray) -> float:
    """Mean over the rows of sum(w * log loss) / sum(w), where w depends on label and truth; clipped to 1e-15.

    RSNA 2019 (intracranial hemorrhage): `any` has weight 2. RSNA 2022 (cervical spine): negatives and positives have
    weights 7 and 14 for patient_overall, 1 and 2 for each vertebra.

    Args:
        targets: int (n, labels).
        predictions: float (n, labels), probabilities.
        weights: float (labels, 2), of negatives and of positives.
    """
    if not len(targets):
        return float("nan")
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    true = targets == 1
    weight = np.where(true, weights[:, 1], weights[:, 0])
    losses = -np.log(np.where(true, clipped, 1 - clipped))
    return float(np.mean((weight * losses).sum(axis=1) / weight.sum(axis=1)))


@metric("ECE", higher_is_better=False, post_processing="calibration", of_resamples=many_resamples.ece)
def ece(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Expected calibration error (Guo et al. 2017, arXiv 1706.04599): confidence against observed frequency.

    It is the mean over the samples of |mean confidence - share of true ones| of their bin. The 15 bins are closed on
    the right: [0, 1/15], (1/15, 2/15] and so on to (14/15, 1]. For several classes the confidence is the probability of
    the decided class, and true means that it is correct. For a binary task it is the probability of the positive class,
    and true means positive, so that a rare class is not hidden behind confident negatives. For labels, the mean of
    theirs.
    """
    if not len(targets):
        return float("nan")
    if targets.ndim == 2:
        return float(np.mean([ece(targets[:, label], predictions[:, label]) for label in range(targets.shape[1])]))
    if predictions.ndim == 1:
        confidence, true = predictions, targets == 1
    else:
        confidence, true = predictions.max(axis=1), to_classes(predictions) == targets
    confidence = confidence.astype(np.float64)
    gaps = np.bincount(bin_of_confidence(confidence), weights=confidence - true)
    return float(np.abs(gaps).sum() / len(targets))
