"""Metrics. Each is a function with the decorator `@metric`, and takes whole columns:

- targets: int (n,) of 0 and 1 (binary), int (n,) class numbers (multi-class, ordinal), int (n, labels) of 0 and 1;
- predictions: float (n,) (binary), float (n, classes) that sum to 1, or float (n, labels).

A metric that is undefined on what it is given, such as an AUC with one class only, is nan.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import cohen_kappa_score
from sklearn.metrics import log_loss as sklearn_log_loss

from medfold.errors import UserError, nearest


@dataclass(frozen=True)
class Metric:
    """A metric with what others need to know about it.

    Args:
        name: as in competition.yaml.
        title: as in tables.
        function: (targets, predictions) -> float, nan if undefined.
        higher_is_better: its direction.
        tasks: the tasks it is defined for.
        needs: 'probability', or 'class' if only the decided class counts.
    """

    name: str
    title: str
    function: Callable[[np.ndarray, np.ndarray], float]
    higher_is_better: bool
    tasks: tuple[str, ...]
    needs: str

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        return float(self.function(targets, predictions))

    @property
    def sign(self) -> int:
        """1 if higher is better, else -1: `sign * value` is to be made large."""
        return 1 if self.higher_is_better else -1


METRICS: dict[str, Metric] = {}
ALL_TASKS = ("binary", "multiclass", "multilabel", "ordinal")


def metric(title: str, higher_is_better: bool = True, tasks: tuple[str, ...] = ALL_TASKS, needs: str = "probability"):
    """Registers a function as a metric under its own name."""

    def register(function: Callable) -> Callable:
        METRICS[function.__name__] = Metric(function.__name__, title, function, higher_is_better, tasks, needs)
        return function

    return register


def get(name: str, task: str) -> Metric:
    """The metric of a name.

    Raises:
        UserError: unknown (nearest named), or not defined for the task.
    """
    if name not in METRICS:
        raise UserError(f"unknown metric '{name}'{nearest(name, METRICS)}", "score", f"Known: {', '.join(METRICS)}")
    found = METRICS[name]
    if task not in found.tasks:
        raise UserError(f"metric {name} is not defined for task {task}", "score", f"It is for {', '.join(found.tasks)}")
    return found


def decide(predictions: np.ndarray) -> np.ndarray:
    """The decided classes: the most probable one; for single columns, 1 where the probability is above one half."""
    return (predictions > 0.5).astype(int) if predictions.ndim == 1 else predictions.argmax(axis=1)


@metric("AUC", tasks=("binary",))
def auc(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a positive stands above a negative, ties as half (Mann-Whitney U)."""
    positives, negatives = predictions[targets == 1], np.sort(predictions[targets != 1])
    if not len(positives) or not len(negatives):
        return float("nan")
    below = np.searchsorted(negatives, positives, side="left")
    below_or_equal = np.searchsorted(negatives, positives, side="right")
    return float((below + below_or_equal).mean() / (2 * len(negatives)))


@metric("mean AUC", tasks=("multiclass", "multilabel", "ordinal"))
def mean_auc(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Unweighted mean of the AUCs of each label, or of each class against the rest.

    For labels this is Kaggle's 'mean column-wise ROC AUC', for classes the AUC of MedMNIST (Yang et al. 2023,
    doi 10.1038/s41597-022-01721-8). Undefined if any column has one class only.
    """
    columns = predictions.shape[1]
    members = targets == 1 if targets.ndim == 2 else targets[:, None] == np.arange(columns)
    return float(np.mean([auc(members[:, column], predictions[:, column]) for column in range(columns)]))


@metric("accuracy", needs="class")
def accuracy(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Share of right decisions; over labels, the mean of their shares. Binary is decided strictly above one half."""
    decided = (predictions > 0.5).astype(int) if targets.ndim == 2 else decide(predictions)
    return float(np.mean(decided == targets)) if len(targets) else float("nan")


@metric("QWK", tasks=("ordinal",), needs="class")
def qwk(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Cohen's kappa with quadratic weights between the grades and the decided grades (Cohen 1968)."""
    decided = decide(predictions)
    if len(targets) == 0 or len(np.union1d(targets, decided)) < 2:
        return float("nan")
    return cohen_kappa_score(targets, decided, weights="quadratic", labels=np.arange(predictions.shape[1]))


@metric("log loss", higher_is_better=False)
def log_loss(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Mean negative log probability of the truth, probabilities clipped to 1e-15; over labels, the mean of theirs."""
    if not len(targets):
        return float("nan")
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    if targets.ndim == 1 and clipped.ndim == 2:
        return sklearn_log_loss(targets, clipped / clipped.sum(axis=1, keepdims=True), labels=range(clipped.shape[1]))
    return float(-np.mean(targets * np.log(clipped) + (1 - targets) * np.log(1 - clipped)))
