"""The `Metric` class, the decorator that registers a metric, and the metric of a competition.

A metric is nan where it is undefined, such as an AUC when all samples are of one class.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from medfold.competition import CompetitionFacts
from medfold.errors import SettingError
from medfold.registry import Registry
from medfold.scoring.decisions import decide

ALL_TASKS = ("binary", "multiclass", "multilabel", "ordinal")
ResponseMethod = Literal["predict_proba", "predict"]


@dataclass(frozen=True)
class Metric:
    """A metric with its name, direction and requirements.

    Args:
        name: name of the metric, as in competition.yaml.
        title: name of the metric in tables.
        function: (targets, predictions) -> float, nan if undefined. A function that also takes `weights` or `beta` gets
            them from `metric_of`, and so does `of_resamples`.
        higher_is_better: True for a score, False for a loss. Defaults to True.
        tasks: the tasks that it is defined for. Defaults to all.
        response_method: what it is computed from, in scikit-learn's words: 'predict_proba' (probabilities) or
            'predict' (decisions). Defaults to 'predict_proba'.
        uses_weights: True if the function takes `weights` from the competition: float (labels, 2), for negatives and
            positives. Defaults to False.
        uses_beta: True if the function takes `beta` from the competition, the weight of recall. Defaults to False.
        decide: the rule of the competition's submission, predictions float (n, columns) -> decisions. A metric of
            decisions is computed from its result. `metric_of` sets it. Defaults to none: the function decides.
        post_processing: name of the post-processing that suits the metric: `cut_points`, `sharpening`, `temperature` or
            `calibration`. Defaults to thresholds or class factors for metrics of decisions, to none for others.
        is_rank_based: True if only the order of the predictions counts, as for an AUC. Defaults to False.
        of_resamples: (targets, predictions, counts) -> the metric of many resamples at once, float64 (resamples,);
            counts: how often each resample holds each row, float32 (resamples, n). Used for tables with many columns.
            Defaults to None: resamples are scored one after the other.
    """

    name: str
    title: str
    function: Callable[[np.ndarray, np.ndarray], float]
    higher_is_better: bool = True
    tasks: tuple[str, ...] = ALL_TASKS
    response_method: ResponseMethod = "predict_proba"
    uses_weights: bool = False
    uses_beta: bool = False
    decide: Callable[[np.ndarray], np.ndarray] | None = None
    post_processing: str = ""
    is_rank_based: bool = False
    of_resamples: Callable[..., np.ndarray] | None = None

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Computes the metric.

        Args:
            targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
            predictions: float (n, columns); (n,) or (n, 1) for a binary task.
        """
        if self.decide:
            predictions = self.decide(predictions.reshape(len(predictions), -1))
        if targets.ndim == 1 and predictions.ndim == 2 and predictions.shape[1] == 1:
            predictions = predictions[:, 0]
        return float(self.function(targets, predictions))

    def with_settings(self, **settings: Any) -> "Metric":
        """Returns a copy of the metric, with `weights` or `beta` given to its functions."""
        of_resamples = self.of_resamples and partial(self.of_resamples, **settings)
        return replace(self, function=partial(self.function, **settings), of_resamples=of_resamples)

    @property
    def sign(self) -> int:
        """Factor 1 if higher is better, else -1: `sign * value` is always maximised."""
        return 1 if self.higher_is_better else -1

    @property
    def validation_name(self) -> str:
        """Name of the score of the validation images after an epoch, as Keras calls it: `val_auc`."""
        return f"val_{self.name}"


METRICS: Registry[Metric] = Registry("metric")


def metric(
    title: str,
    higher_is_better: bool = True,
    tasks: tuple[str, ...] = ALL_TASKS,
    response_method: ResponseMethod = "predict_proba",
    uses_weights: bool = False,
    uses_beta: bool = False,
    post_processing: str = "",
    is_rank_based: bool = False,
    of_resamples: Callable[..., np.ndarray] | None = None,
):
    """Registers a function as a metric under its own name. The arguments are fields of `Metric`, described there.

    Example:
        >>> @metric("accuracy", response_method="predict")
        ... def accuracy(targets, predictions):
        ...     return np.mean(to_classes(predictions) == targets)
    """

    def register(function: Callable) -> Callable:
        registered = Metric(
            name=function.__name__,
            title=title,
            function=function,
            higher_is_better=higher_is_better,
            tasks=tasks,
            response_method=response_method,
            uses_weights=uses_weights,
            uses_beta=uses_beta,
            post_processing=post_processing,
            is_rank_based=is_rank_based,
            of_resamples=of_resamples,
        )
        METRICS.register(registered.name, registered, function.__module__)
        return function

    return register


def metric_of(facts: CompetitionFacts, name: str | None = None) -> Metric:
    """Returns a metric of a competition, with the competition's weights, its beta and its decision rule applied.

    Args:
        facts: facts of the competition (`score`, the task, and the layout of the submission).
        name: name of the metric, as in competition.yaml. Defaults to `score.metric`.

    Raises:
        SettingError: the metric is unknown (the nearest name is suggested), is not defined for the task, or needs
            probabilities where the submission holds lists; weights are missing or not positive; or weights are given
            that no metric of the competition takes.
    """
    score = facts.score
    name = name or score.metric
    found = _find_metric(name, facts.task, "score.metric" if name == score.metric else "score.more_metrics")
    if name == score.metric and facts.submission.layout == "lists" and found.response_method != "predict":
        what = f"metric {name} needs probabilities, but a submission of lists holds decisions"
        candidates = _list_metrics(lambda candidate: candidate.response_method == "predict")
        raise SettingError(what, "score.metric", f"Metrics of decisions: {candidates}")
    used_metrics = [METRICS[used] for used in (score.metric, *score.more_metrics) if used in METRICS]
    if score.weights and not any(used.uses_weights for used in used_metrics):
        candidates = _list_metrics(lambda candidate: candidate.uses_weights)
        fix = f"Remove them, or use one of these metrics: {candidates}"
        raise SettingError(f"metric {score.metric} takes no weights", "score.weights", fix)
    if found.response_method == "predict":
        found = replace(found, decide=partial(decide, facts))
    if found.uses_beta:
        found = replace(found.with_settings(beta=score.beta), title=metric_title(facts, name))
    if found.uses_weights:
        found = found.with_settings(weights=_label_weights(facts, name))
    return found


def _list_metrics(condition: Callable[[Metric], bool]) -> str:
    """Returns the names of the metrics that fulfil a condition, for a message."""
    return ", ".join(candidate.name for candidate in METRICS.all() if condition(candidate))


def _label_weights(facts: CompetitionFacts, name: str) -> np.ndarray:
    """Returns the weight of each label for a metric, float64 (labels, 2): for negatives and positives."""
    weights_by_label = facts.score.weights
    if not weights_by_label:
        fix = "Example: score: {weights: {any: 2}}; labels that are not listed have weight 1"
        raise SettingError(f"metric {name} needs weights", "score.weights", fix)
    pairs = [np.broadcast_to(weights_by_label.get(label, 1.0), 2) for label in facts.labels.targets]
    weights = np.array(pairs, np.float64)
    wrong = ~(np.isfinite(weights) & (weights > 0)).all(axis=1)
    if wrong.any():
        label = facts.labels.targets[int(np.argmax(wrong))]
        what = f"expected weights above 0, received {weights_by_label[label]} for '{label}'"
        raise SettingError(what, "score.weights", f"Remove '{label}' for a weight of 1")
    return weights


def metric_title(facts: CompetitionFacts, name: str) -> str:
    """Returns the display name of a metric: 'F2' where beta is 2."""
    return f"F{facts.score.beta:g}" if METRICS[name].uses_beta else METRICS[name].title


def metric_input(facts: CompetitionFacts, name: str, submitted: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Selects the predictions that a metric is computed from: one rule for OOF scores and the local leaderboard.

    The metric of the competition is computed from what is submitted. Additional metrics are computed from the
    probabilities before they became decisions or ranks, unless both metrics need decisions: then from the submitted
    ones.

    Args:
        facts: facts of the competition (`score.metric`).
        name: name of the metric.
        submitted: float (n, columns), as in the submission.
        probabilities: float (n, columns).
    """
    main = METRICS[facts.score.metric]
    uses_submitted = name == main.name or (
        main.response_method == "predict" and METRICS[name].response_method == "predict"
    )
    return submitted if uses_submitted else probabilities


def _find_metric(name: str, task: str, key: str) -> Metric:
    """Returns a metric by its name; `key` is the key of competition.yaml that errors name."""
    found = METRICS.find(name, key)
    if task not in found.tasks:
        raise SettingError(f"metric {name} is not defined for task {task}", key, f"Its tasks: {', '.join(found.tasks)}")
    return found
