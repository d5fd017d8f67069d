"""What a metric is, the decorator that registers one, and the metric of a competition.

A metric that is undefined on what it is given, such as an AUC with one class only, is nan.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from medfold.competition import Competition
from medfold.errors import UserError
from medfold.registry import Registry
from medfold.scoring.decisions import decisions_of


def label_means(competition: Competition, targets: np.ndarray) -> np.ndarray:
    """The mean of the training labels, float64 (columns,): what is known of a unit without an image.

    Args:
        targets: int (n,) or (n, labels).
    """
    labels = np.eye(len(competition.prediction_columns))[targets] if competition.exclusive_classes else targets
    return labels.reshape(len(labels), -1).mean(axis=0)


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
            holds them; `metric_of` binds it. Defaults to those of `to_classes`.
        post_processing: the map of predictions that suits it, by its name in `post_processing`: `cut_points`,
            `sharpening` or `temperature`. Defaults to thresholds or class factors for metrics of decisions, to none
            for others.
        of_order: True if only the order of predictions counts, as for an AUC. Defaults to False.
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
    post_processing: str = ""
    of_order: bool = False

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


METRICS: Registry[Metric] = Registry("metric")


ALL_TASKS = ("binary", "multiclass", "multilabel", "ordinal")


def metric(
    title: str,
    higher_is_better: bool = True,
    tasks: tuple[str, ...] = ALL_TASKS,
    needs: str = "probability",
    weighted: bool = False,
    weighs_recall: bool = False,
    post_processing: str = "",
    of_order: bool = False,
):
    """Registers a function as a metric under its own name.

    Args:
        title, higher_is_better, tasks, needs, weighted, weighs_recall, post_processing, of_order: as in `Metric`.

    Example:
        >>> @metric("accuracy", needs="class")
        ... def accuracy(targets, predictions):
        ...     return np.mean(to_classes(predictions) == targets)
    """

    def register(function: Callable) -> Callable:
        name = function.__name__
        made = Metric(
            name=name,
            title=title,
            function=function,
            higher_is_better=higher_is_better,
            tasks=tasks,
            needs=needs,
            weighted=weighted,
            weighs_recall=weighs_recall,
            post_processing=post_processing,
            of_order=of_order,
        )
        METRICS.register(name, made)
        return function

    return register


def metric_of(competition: Competition, name: str | None = None) -> Metric:
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
        found = replace(found, decide=partial(decisions_of, competition))
    names = [score.metric, *score.also]
    if score.weights and not any(METRICS[known].weighted for known in names if known in METRICS):
        takers = ", ".join(known for known in METRICS if METRICS[known].weighted)
        raise UserError(f"metric {score.metric} takes no weights", "score.weights", f"Take them out, or use {takers}")
    if found.weighs_recall:
        return replace(
            found, function=partial(found.function, beta=score.beta), title=metric_title(competition, found.name)
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


def metric_title(competition: Competition, name: str) -> str:
    """What a metric is called in words: 'F2' where beta is 2."""
    return f"F{competition.score.beta:g}" if METRICS[name].weighs_recall else METRICS[name].title


def metric_input(competition: Competition, name: str, written: np.ndarray, probable: np.ndarray) -> np.ndarray:
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


def constant_predictions(competition: Competition, prior: np.ndarray) -> Iterator[np.ndarray]:
    """Constant predictions, which need no image: the prior; each class, or no label and every label.

    Args:
        prior: float (columns,), the mean of the labels.
    """
    yield prior
    yield from (
        np.eye(len(prior)) if competition.exclusive_classes else np.array([np.zeros(len(prior)), np.ones(len(prior))])
    )


def chance_score(competition: Competition, targets: np.ndarray, prior: np.ndarray) -> float:
    """The best score of a predictor that looks at no image; nan if it is undefined.

    Args:
        targets: int (n,) or (n, labels).
        prior: float (columns,), the mean of the training labels.
    """
    metric = metric_of(competition)
    scores = [metric(targets, np.tile(row, (len(targets), 1))) for row in constant_predictions(competition, prior)]
    found = [metric.sign * score for score in scores if np.isfinite(score)]
    return metric.sign * max(found) if found else float("nan")


def _named(name: str, task: str) -> Metric:
    found = METRICS.find(name, "score")
    if task not in found.tasks:
        raise UserError(f"metric {name} is not defined for task {task}", "score", f"It is for {', '.join(found.tasks)}")
    return found


def to_classes(predictions: np.ndarray) -> np.ndarray:
    """The decided classes: the most probable one; for single columns, 1 where the probability is above one half."""
    return (predictions > 0.5).astype(int) if predictions.ndim == 1 else predictions.argmax(axis=1)
