"""Methods to combine the members of an ensemble; each is a function with the decorator `@ensemble_method`.

The predictions of all members are one array, float64 (members, n, columns). Methods that need no labels come first,
then methods that are fitted on labels; of these only the cross-fitted score is trustworthy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from medfold.ensemble.greedy_selection import selection_weights
from medfold.registry import Registry
from medfold.scoring import (
    METRICS,
    MIN_PROBABILITY,
    FittedTransform,
    Metric,
    targets_as_columns,
    to_logits,
    to_probabilities,
    transform_step,
)
from medfold.terminal.progress import with_time_left

ARITHMETIC_MEAN = "mean"  # name of the method that all others are compared with
MIN_WEIGHT = 1e-6  # smaller weights are set to 0


@dataclass(frozen=True)
class EnsembleMethod:
    """A method to combine members.

    Args:
        name: name of the method, as the user types it.
        title: title of the method in tables.
        fit: (stack, targets, metric, per_class) -> FittedTransform. If the method weights the members, `parameters` has
            `weights`, float (members,) or (members, columns).
        needs_labels: True if the method is fitted on the targets.
        gives_ranks: True if the result is ranks instead of probabilities. Defaults to False.
        suits_many_classes: False if it takes too long for more than 100 exclusive classes, unless the user names it.
            Defaults to True.
    """

    name: str
    title: str
    fit: Callable[[np.ndarray, np.ndarray, Metric, bool], FittedTransform]
    needs_labels: bool
    gives_ranks: bool = False
    suits_many_classes: bool = True


METHODS: Registry[EnsembleMethod] = Registry("method")


def ensemble_method(
    title: str, needs_labels: bool = True, gives_ranks: bool = False, suits_many_classes: bool = True
) -> Callable:
    """Registers a function (stack, targets, metric, per_class) -> FittedTransform as a method under its own name.

    The function gets the OOF predictions of the members:

    - stack: float64 (members, n, columns);
    - targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels);
    - metric: the metric to improve;
    - per_class: True to weight the members for each column by itself; a method without weights ignores it.

    It returns the transform of a stack into predictions, float64 (n, columns).

    Args:
        title: display name in tables.
        needs_labels: True if the method is fitted on the targets. Defaults to True.
        gives_ranks: True if the result is ranks instead of probabilities. Defaults to False.
        suits_many_classes: False if it takes too long for more than 100 exclusive classes. Defaults to True.

    Example:
        >>> @ensemble_method("median", needs_labels=False)
        ... def median(stack, targets, metric, per_class=False):
        ...     return FittedTransform.from_function(median_of)
    """

    def register(fit: Callable) -> Callable:
        method = EnsembleMethod(fit.__name__, title, fit, needs_labels, gives_ranks, suits_many_classes)
        METHODS.register(method.name, method, fit.__module__)
        return fit

    return register


@ensemble_method("arithmetic mean", needs_labels=False)
def mean(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """The arithmetic mean of the probabilities."""
    return FittedTransform.from_function(mean_of)


@transform_step
def mean_of(stack: np.ndarray) -> np.ndarray:
    """Averages the members."""
    return stack.mean(axis=0)


@ensemble_method("geometric mean", needs_labels=False)
def geometric(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """The normalised geometric mean: the mean of the logits, converted back to probabilities."""
    return FittedTransform.from_function(geometric_mean_of, exclusive=_is_exclusive(stack, targets))


@transform_step
def geometric_mean_of(stack: np.ndarray, exclusive: bool) -> np.ndarray:
    """Averages the members' logits and converts the mean to probabilities."""
    return to_probabilities(to_logits(stack, exclusive).mean(axis=0), exclusive)


@ensemble_method("rank mean", needs_labels=False, gives_ranks=True)
def rank(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """The mean of the members' percentile ranks: the share of a member's OOF predictions below the prediction.

    The reference is the OOF predictions, not the batch to predict, so the rank of an image does not depend on which
    other images are predicted with it.
    """
    return FittedTransform.from_function(
        rank_mean_of, ordered=np.sort(stack, axis=1), exclusive=_is_exclusive(stack, targets)
    )


@transform_step
def rank_mean_of(stack: np.ndarray, ordered: np.ndarray, exclusive: bool) -> np.ndarray:
    """Averages the members' ranks among the sorted reference predictions.

    Args:
        stack: float64 (members, n, columns).
        ordered: float64 (members, reference, columns), sorted along the second axis; saved in .npz under this name.
        exclusive: True for mutually exclusive classes, whose ranks are normalised to a sum of 1.
    """
    ranks = np.empty_like(stack)
    for member in range(stack.shape[0]):
        for column in range(stack.shape[2]):
            reference, values = ordered[member, :, column], stack[member, :, column]
            below, up_to = (np.searchsorted(reference, values, side=side) for side in ("left", "right"))
            ranks[member, :, column] = ((below + up_to) / 2 + 0.5) / (len(reference) + 1)
    return _normalised(ranks.mean(axis=0), exclusive)


@ensemble_method("selection")
def selection(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """Greedy selection (hill climbing) with replacement, on the metric (Caruana et al. 2004, 10.1145/1015330.1015432).

    Each of 50 rounds adds the member with which the mean of all added so far scores best. The result is the shortest
    prefix of this sequence that is within two standard errors (of the difference) of the best prefix: a member that is
    pure noise may improve the score a little by chance, and should get no weight.

    With `per_class` members are selected for each column separately, by the AUC of the column if the metric is
    rank-based, else by its log loss.
    """
    if per_class and stack.shape[2] > 1:
        column_metric = METRICS["auc" if metric.is_rank_based else "log_loss"]
        weights = _weights_per_class(stack, targets, partial(selection_weights, metric=column_metric))
    else:
        weights = selection_weights(stack, targets, metric)
    return _weighted_mean(weights, _is_exclusive(stack, targets))


@ensemble_method("optimised weights")
def optimised(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """Non-negative weights with a sum of 1 that minimise the log loss of the weighted mean.

    They are found with SLSQP; the problem is convex. With `per_class` each column has its own weights, which minimise
    its own log loss.
    """
    if per_class and stack.shape[2] > 1:
        weights = _weights_per_class(stack, targets, simplex_weights)
    else:
        weights = simplex_weights(stack, targets)
    return _weighted_mean(weights, _is_exclusive(stack, targets))


def _weights_per_class(
    stack: np.ndarray, targets: np.ndarray, find_weights: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Returns weights that are found for each column alone, float64 (members, columns)."""
    labels = targets_as_columns(targets, stack.shape[2])
    columns = [find_weights(stack[:, :, [column]], labels[:, column]) for column in range(stack.shape[2])]
    return np.stack(columns, axis=1)


def simplex_weights(stack: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the weights, float64 (members,), at least 0 with a sum of 1, whose mean has the lowest log loss."""
    from scipy.optimize import minimize

    if _is_exclusive(stack, targets):
        true_probability = stack[:, np.arange(len(targets)), targets]  # (members, n): probability of the true class
    else:
        positive = targets.reshape(len(targets), -1) == 1
        true_probability = np.where(positive, stack, 1 - stack).reshape(len(stack), -1)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        combined = np.maximum(weights @ true_probability, MIN_PROBABILITY)
        return -float(np.log(combined).mean()), -(true_probability / combined).mean(axis=1)

    num_members = len(stack)
    result = minimize(
        loss,
        np.full(num_members, 1 / num_members),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * num_members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like},
        options={"maxiter": 500, "ftol": 1e-12},
    )
    weights = np.where(result.x < MIN_WEIGHT, 0, result.x)
    return weights / weights.sum()


@ensemble_method("stacking", suits_many_classes=False)
def stacking(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """Logistic regression on the members' logits (Wolpert 1992), standardised to mean 0 and deviation 1, with C = 1.

    For mutually exclusive classes, each class uses the logits of all classes; each label uses only its own logits. If
    all targets are equal there is nothing to learn, and the result is the arithmetic mean.
    """
    if len(np.unique(targets)) < 2:
        return mean(stack, targets, metric)
    if _is_exclusive(stack, targets):
        slopes, offsets = _regression(_logit_features(stack, True), targets)
        return FittedTransform.from_function(
            stacked_classes, slopes=slopes, offsets=offsets, classes=np.unique(targets)
        )
    labels = targets.reshape(len(targets), -1)
    slopes, offsets = np.full((labels.shape[1], len(stack)), np.nan), np.zeros(labels.shape[1])
    num_labels = labels.shape[1]
    for label in with_time_left(range(num_labels), "stacking", num_labels, "labels"):
        if len(np.unique(labels[:, label])) == 2:
            fitted = _regression(_logit_features(stack[:, :, [label]], False), labels[:, label])
            slopes[label], offsets[label] = (coefficients[0] for coefficients in fitted)
    return FittedTransform.from_function(stacked_labels, slopes=slopes, offsets=offsets)


@transform_step
def stacked_classes(stack: np.ndarray, slopes: np.ndarray, offsets: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Applies a logistic regression over classes.

    Args:
        stack: float64 (members, n, columns).
        slopes: float64 (classes, features), or (1, features) for two classes.
        offsets: float64 (rows of slopes,).
        classes: int (n,), the classes that were in the training labels; all others get probability 0.
    """
    decision = _logit_features(stack, True) @ slopes.T + offsets
    if len(classes) == 2:
        decision = np.concatenate([np.zeros_like(decision), decision], axis=1)
    result = np.zeros(stack.shape[1:])
    result[:, classes] = to_probabilities(decision, exclusive=True)
    return result


@transform_step
def stacked_labels(stack: np.ndarray, slopes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Applies a separate logistic regression to each label; the arithmetic mean where its slopes are nan."""
    logits = np.einsum("lm,mnl->nl", slopes, to_logits(stack, exclusive=False)) + offsets
    by_regression = to_probabilities(logits, exclusive=False)
    return np.where(np.isnan(slopes[:, 0]), stack.mean(axis=0), by_regression)


def _regression(features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fits a logistic regression on standardised features and returns its coefficients for the original features.

    Returns:
        Slopes float64 (classes, features), or (1, features) for two classes; offsets.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(features), targets)
    slopes = model.coef_ / scaler.scale_
    return slopes, model.intercept_ - slopes @ scaler.mean_


def _logit_features(stack: np.ndarray, exclusive: bool) -> np.ndarray:
    return np.concatenate(list(to_logits(stack, exclusive)), axis=1)


def _weighted_mean(weights: np.ndarray, exclusive: bool) -> FittedTransform:
    """Returns the weighted mean; with weights per column, exclusive classes are normalised to a sum of 1."""
    weights = weights / weights.sum(axis=0)
    if weights.ndim == 1:
        return FittedTransform.from_function(weighted_mean_of, {"weights": weights}, weights=weights)
    return FittedTransform.from_function(
        weighted_columns_of, {"weights": weights}, weights=weights, exclusive=exclusive
    )


@transform_step
def weighted_mean_of(stack: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Averages the members with one weight each."""
    return np.tensordot(weights, stack, axes=1)


@transform_step
def weighted_columns_of(stack: np.ndarray, weights: np.ndarray, exclusive: bool) -> np.ndarray:
    """Averages with weights float64 (members, columns); exclusive classes are normalised to a sum of 1."""
    return _normalised(np.einsum("mc,mnc->nc", weights, stack), exclusive)


def _is_exclusive(stack: np.ndarray, targets: np.ndarray) -> bool:
    """Returns True if the columns are classes of which each unit has one; False for labels and a binary target."""
    return targets.ndim == 1 and stack.shape[2] > 1


def _normalised(predictions: np.ndarray, exclusive: bool) -> np.ndarray:
    return predictions / predictions.sum(axis=1, keepdims=True) if exclusive else predictions
