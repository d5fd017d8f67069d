"""Metrics. Each is a function with the decorator `@metric`, and takes whole columns:

- targets: int (n,) of 0 and 1 (binary), int (n,) class numbers (multi-class, ordinal), int (n, labels) of 0 and 1;
- predictions: float (n,) (binary), float (n, classes) that sum to 1, or float (n, labels).

A metric that is undefined on what it is given, such as an AUC with one class only, is nan.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from medfold.competition.facts import Competition
from medfold.errors import UserError, nearest
from medfold.scoring.decisions import decisions

BINS = 15  # of the expected calibration error


@dataclass(frozen=True)
class Metric:
    """A metric with what others need to know about it.

    Args:
        name: as in competition.yaml.
        title: as in tables.
        function: (targets, predictions) -> float, nan if undefined; of a weighted one, `of` binds the weights.
        higher_is_better: its direction.
        tasks: the tasks it is defined for.
        needs: 'probability', or 'class' if only the decided class counts.
        weighted: True if it takes `weights` from the competition: float (labels, 2), for negatives and positives.
            Defaults to False.
        weighs_recall: True if it takes `beta` from the competition. Defaults to False.
        decide: float (n, columns) -> the decisions that a metric of classes looks at, as the competition's submission
            holds them; `of` binds it. Defaults to those of `decide` below.
    """

    name: str
    title: str
    function: Callable[[np.ndarray, np.ndarray], float]
    higher_is_better: bool
    tasks: tuple[str, ...]
    needs: str
    weighted: bool = False
    weighs_recall: bool = False
    decide: Callable[[np.ndarray], np.ndarray] | None = None

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """The value; predictions of a binary task may stand in a column of their own, (n, 1)."""
        if self.decide:
            predictions = self.decide(predictions.reshape(len(predictions), -1))
        if targets.ndim == 1 and predictions.ndim == 2 and predictions.shape[1] == 1:
            predictions = predictions[:, 0]
        return float(self.function(targets, predictions))

    @property
    def sign(self) -> int:
        """1 if higher is better, else -1: `sign * value` is to be made large."""
        return 1 if self.higher_is_better else -1


METRICS: dict[str, Metric] = {}
ALL_TASKS = ("binary", "multiclass", "multilabel", "ordinal")


def metric(
    title: str,
    higher_is_better: bool = True,
    tasks: tuple[str, ...] = ALL_TASKS,
    needs: str = "probability",
    weighted: bool = False,
    weighs_recall: bool = False,
):
    """Registers a function as a metric under its own name."""

    def register(function: Callable) -> Callable:
        name = function.__name__
        METRICS[name] = Metric(name, title, function, higher_is_better, tasks, needs, weighted, weighs_recall)
        return function

    return register


def of(competition: Competition, name: str | None = None) -> Metric:
    """A metric of a competition, with the competition's weights if it takes any, and its way to decide.

    Args:
        competition: its task, and `score`.
        name: as in competition.yaml. Defaults to its `score.metric`.

    Raises:
        UserError: unknown (nearest named), not defined for the task, of probabilities where the submission holds lists,
            weights that are missing or not positive, or weights that no metric of the competition takes.
    """
    score = competition.score
    found = _named(name or score.metric, competition.task)
    if name in (None, score.metric) and competition.submission.shape == "lists" and found.needs != "class":
        takers = ", ".join(each for each, known in METRICS.items() if known.needs == "class")
        what = f"metric {found.name} is of probabilities, and a submission of lists holds decisions"
        raise UserError(what, "score.metric", f"Metrics of decisions: {takers}")
    if found.needs == "class":
        found = replace(found, decide=partial(decisions, competition))
    names = [score.metric, *score.also]
    if score.weights and not any(METRICS[known].weighted for known in names if known in METRICS):
        takers = ", ".join(known for known in METRICS if METRICS[known].weighted)
        raise UserError(f"metric {score.metric} takes no weights", "score.weights", f"Take them out, or use {takers}")
    if found.weighs_recall:
        return replace(
            found, function=partial(found.function, beta=score.beta), title=title_of(competition, found.name)
        )
    if not found.weighted:
        return found
    if not score.weights:
        fix = "Example: score: {weights: {any: 2}}; labels that are not named weigh 1"
        raise UserError(f"metric {found.name} needs weights", "score.weights", fix)
    pairs = [np.broadcast_to(score.weights.get(label, 1.0), 2) for label in competition.labels.targets]
    weights = np.array(pairs, np.float64)
    wrong = ~(np.isfinite(weights) & (weights > 0)).all(axis=1)
    if wrong.any():
        label = competition.labels.targets[int(np.argmax(wrong))]
        raise UserError(f"weights are above 0, that of '{label}' is {score.weights[label]}", "score.weights")
    return replace(found, function=partial(found.function, weights=weights))


def title_of(competition: Competition, name: str) -> str:
    """What a metric is called in words: 'F2' where beta is 2."""
    return f"F{competition.score.beta:g}" if METRICS[name].weighs_recall else METRICS[name].title


def seen_by(competition: Competition, name: str, written: np.ndarray, probable: np.ndarray) -> np.ndarray:
    """The predictions that a metric is computed from: one rule for OOF scores and the local leaderboard.

    The metric of the competition sees what is written. Further ones see the probabilities behind it, unless both look
    at decisions: then those that are written.

    Args:
        name: of the metric.
        written: float (n, columns), what the submission holds.
        probable: float (n, columns), the probabilities behind it.
    """
    main = METRICS[competition.score.metric]
    same = name == main.name or (main.needs == "class" and METRICS[name].needs == "class")
    return written if same else probable


def constants(competition: Competition, prior: np.ndarray) -> Iterator[np.ndarray]:
    """Constant predictions, which need no image: the prior; each class, or no label and every label.

    Args:
        prior: float (columns,), the mean of the labels.
    """
    yield prior
    yield from np.eye(len(prior)) if competition.one_of_many else np.array([np.zeros(len(prior)), np.ones(len(prior))])


def chance(competition: Competition, targets: np.ndarray, prior: np.ndarray) -> float:
    """The best score of a predictor that looks at no image; nan if it is undefined.

    Args:
        targets: int (n,) or (n, labels).
        prior: float (columns,), the mean of the training labels.
    """
    metric = of(competition)
    scores = [metric(targets, np.tile(row, (len(targets), 1))) for row in constants(competition, prior)]
    found = [metric.sign * score for score in scores if np.isfinite(score)]
    return metric.sign * max(found) if found else float("nan")


def _named(name: str, task: str) -> Metric:
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


@metric("pAUC above 80 % TPR", tasks=("binary",))
def pauc(targets: np.ndarray, predictions: np.ndarray) -> float:
    """The area under the ROC curve that lies above a true positive rate of 80 %: 0 to 0.2 (ISIC 2024).

    Only positives with the lowest predictions lie there, each a strip 1 / positives high and as wide as the share of
    negatives below it. Ties, as everywhere on a ROC curve, are crossed on a straight line.
    """
    positives, negatives = predictions[targets == 1], np.sort(predictions[targets != 1])
    if not len(positives) or not len(negatives):
        return float("nan")
    values, counts = np.unique(positives, return_counts=True)
    above = np.concatenate([[0.0], np.cumsum(counts) / len(positives)])  # what each value misses, from 0 to 1
    start = np.searchsorted(negatives, values, side="left") / len(negatives)
    end = np.searchsorted(negatives, values, side="right") / len(negatives)
    height = np.clip((1 - 0.8) - above[:-1], 0, np.diff(above))
    # Where the limit lies within a tie, the strip ends on the line that crosses it.
    middle = start + (end - start) * height / np.diff(above) / 2
    return float(np.sum(height * middle))


@metric("pF1", tasks=("binary",))
def pf1(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Probabilistic F1 (RSNA breast cancer 2023): F1 with probabilities, clipped to 0..1, in the place of decisions.

    Precision is sum of p over positives / sum of p, recall the same / number of positives; 2 P R / (P + R) is then
    twice the sum of p over positives / (sum of p + number of positives). Undefined without positives.
    """
    clipped, positive = np.clip(predictions.astype(np.float64), 0, 1), targets == 1
    if not positive.any():
        return float("nan")
    return float(2 * clipped[positive].sum() / (clipped.sum() + positive.sum()))


@metric("accuracy", needs="class")
def accuracy(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Share of right decisions; over labels, the mean of their shares. Binary is decided strictly above one half."""
    decided = (predictions > 0.5).astype(int) if targets.ndim == 2 else decide(predictions)
    return float(np.mean(decided == targets)) if len(targets) else float("nan")


@metric("balanced accuracy", tasks=("binary", "multiclass", "ordinal"), needs="class")
def balanced_accuracy(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Mean over the classes of the share of their samples that is decided right; classes without samples left out."""
    hits, truth, _ = _counts(targets, predictions)
    there = truth > 0
    return float(np.mean(hits[there] / truth[there])) if there.any() else float("nan")


@metric("macro F1", needs="class")
def macro_f1(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Unweighted mean of the F1 of each class (both of a binary task), or of each label, decided strictly above 0.5.

    Classes that are neither true nor decided anywhere are left out, such labels count 0: both as scikit-learn has it.
    """
    if not len(targets):
        return float("nan")
    if targets.ndim == 2:
        decided, true = predictions > 0.5, targets == 1
        hits, together = (decided & true).sum(axis=0), decided.sum(axis=0) + true.sum(axis=0)
        return float(np.mean(2 * hits / np.maximum(together, 1)))
    hits, truth, decided = _counts(targets, predictions)
    there = truth + decided > 0
    return float(np.mean(2 * hits[there] / (truth + decided)[there]))


@metric("F-beta", tasks=("binary", "multilabel"), needs="class", weighs_recall=True)
def fbeta(targets: np.ndarray, predictions: np.ndarray, beta: float = 1.0) -> float:
    """F-beta of the positive class, of labels their mean: recall counts beta times as much as precision.

    (1 + beta^2) P R / (beta^2 P + R) (van Rijsbergen 1979), decided strictly above 0.5; 0 where nothing is decided
    right, as scikit-learn has it.
    """
    if not len(targets):
        return float("nan")
    true, decided = targets.reshape(len(targets), -1) == 1, predictions.reshape(len(predictions), -1) > 0.5
    hits, weight = (true & decided).sum(axis=0), beta**2
    found = (1 + weight) * hits / np.maximum(weight * true.sum(axis=0) + decided.sum(axis=0), 1e-12)
    return float(np.mean(found))


def _counts(targets: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each class is decided right, is true, and is decided: int (classes,) each."""
    decided = decide(predictions)
    classes = 2 if predictions.ndim == 1 else predictions.shape[1]
    groups = (targets[decided == targets], targets, decided)
    hits, truth, decided = (np.bincount(group.astype(np.int64), minlength=classes) for group in groups)
    return hits, truth, decided


@metric("QWK", tasks=("ordinal",), needs="class")
def qwk(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Cohen's kappa with quadratic weights between the grades and the decided grades (Cohen 1968)."""
    from sklearn.metrics import cohen_kappa_score

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
        from sklearn.metrics import log_loss as of_classes

        return of_classes(targets, clipped / clipped.sum(axis=1, keepdims=True), labels=range(clipped.shape[1]))
    return float(-np.mean(targets * np.log(clipped) + (1 - targets) * np.log(1 - clipped)))


@metric("weighted log loss", higher_is_better=False, tasks=("multilabel",), weighted=True)
def weighted_log_loss(targets: np.ndarray, predictions: np.ndarray, weights: np.ndarray) -> float:
    """Mean over the rows of sum(w * log loss) / sum(w), where w depends on label and truth; clipped to 1e-15.

    RSNA 2019 (intracranial hemorrhage): `any` weighs 2. RSNA 2022 (cervical spine): negatives and positives weigh 7
    and 14 for patient_overall, 1 and 2 for each vertebra.

    Args:
        weights: float (labels, 2), of negatives and of positives.
    """
    if not len(targets):
        return float("nan")
    clipped = np.clip(predictions.astype(np.float64), 1e-15, 1 - 1e-15)
    true = targets == 1
    weight = np.where(true, weights[:, 1], weights[:, 0])
    losses = -np.log(np.where(true, clipped, 1 - clipped))
    return float(np.mean((weight * losses).sum(axis=1) / weight.sum(axis=1)))


@metric("ECE", higher_is_better=False)
def ece(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Expected calibration error (Guo et al. 2017, arXiv 1706.04599): how far confidences are from what comes true.

    The mean over the samples of |mean confidence - share that is true| of their bin. The 15 bins are closed on the
    right: [0, 1/15], (1/15, 2/15] and so on to (14/15, 1]. Of several classes the confidence is that of the decided
    one, true where it is right. Of a single column it is the probability of the positive class, true where that is
    the case, so that a rare class is not hidden behind sure negatives. Over labels, the mean of theirs.
    """
    if not len(targets):
        return float("nan")
    if targets.ndim == 2:
        return float(np.mean([ece(targets[:, label], predictions[:, label]) for label in range(targets.shape[1])]))
    if predictions.ndim == 1:
        confidence, true = predictions, targets == 1
    else:
        confidence, true = predictions.max(axis=1), decide(predictions) == targets
    confidence = confidence.astype(np.float64)
    number = np.searchsorted(np.arange(1, BINS) / BINS, confidence, side="left")
    return float(np.abs(np.bincount(number, weights=confidence - true)).sum() / len(targets))
