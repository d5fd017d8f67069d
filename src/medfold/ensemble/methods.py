"""How members of an ensemble are put together: a function with the decorator `@ensemble_method` each.

Members stand in one array, float64 (members, n, columns). What needs no labels comes first, then what is fitted on
them; the latter is to be believed by its cross-fitted score only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from medfold.registry import Registry
from medfold.scoring import (
    METRICS,
    MIN_PROBABILITY,
    FittedTransform,
    Metric,
    prediction_map,
    to_logits,
    to_probabilities,
)

ROUNDS, RESAMPLES, DRAWN = 50, 100, 10_000  # of the greedy selection; rows of a draw at most
TOLERANCE = 1e-12  # scores that differ by less are equal
NEGLIGIBLE = 1e-6  # weights below are none


@dataclass(frozen=True)
class Method:
    """A way to put members together.

    Args:
        name: as typed.
        title: as in tables.
        fit: (stack, targets, metric, per_class) -> FittedTransform; with `weights` among its parameters, float
            (members,) or (members, columns), where it weighs members.
        learns: True if it looks at the targets.
        gives_ranks: True if what comes of it are ranks, no probabilities. Defaults to False.
    """

    name: str
    title: str
    fit: Callable[[np.ndarray, np.ndarray, Metric, bool], FittedTransform]
    learns: bool
    gives_ranks: bool = False


METHODS: Registry[Method] = Registry("method")


def ensemble_method(title: str, learns: bool = True, gives_ranks: bool = False) -> Callable:
    """Registers a function (stack, targets, metric, per_class) -> FittedTransform as a method under its own name.

    Args:
        title, learns, gives_ranks: as in `Method`.

    Example:
        >>> @ensemble_method("median", learns=False)
        ... def median(stack, targets, metric, per_class=False):
        ...     return FittedTransform.by(median_of)
    """

    def register(fit: Callable) -> Callable:
        METHODS.register(fit.__name__, Method(fit.__name__, title, fit, learns, gives_ranks))
        return fit

    return register


@ensemble_method("arithmetic mean", learns=False)
def mean(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """The plain mean of the probabilities."""
    return FittedTransform.by(mean_of)


@prediction_map
def mean_of(stack: np.ndarray) -> np.ndarray:
    """The plain mean of members."""
    return stack.mean(axis=0)


@ensemble_method("geometric mean", learns=False)
def geometric(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """The mean of the logits, made probabilities again: the normalised geometric mean."""
    return FittedTransform.by(geometric_mean_of, exclusive=_exclusive(stack, targets))


@prediction_map
def geometric_mean_of(stack: np.ndarray, exclusive: bool) -> np.ndarray:
    """The mean of members' logits, as probabilities."""
    return to_probabilities(to_logits(stack, exclusive).mean(axis=0), exclusive)


@ensemble_method("rank mean", learns=False, gives_ranks=True)
def rank(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """The mean of where each prediction stands among the member's OOF predictions, as a share of them.

    Ranks among OOF predictions, not among those that are put together: the rank of an image does not hang on which
    others are predicted with it.
    """
    return FittedTransform.by(rank_mean_of, ordered=np.sort(stack, axis=1), exclusive=_exclusive(stack, targets))


@prediction_map
def rank_mean_of(stack: np.ndarray, ordered: np.ndarray, exclusive: bool) -> np.ndarray:
    """The mean of members' ranks among `ordered`, float64 (members, known, columns), each sorted."""
    ranks = np.empty_like(stack)
    for member in range(stack.shape[0]):
        for column in range(stack.shape[2]):
            known, values = ordered[member, :, column], stack[member, :, column]
            below, up_to = (np.searchsorted(known, values, side=side) for side in ("left", "right"))
            ranks[member, :, column] = ((below + up_to) / 2 + 0.5) / (len(known) + 1)
    return _normalised(ranks.mean(axis=0), exclusive)


@ensemble_method("selection")
def selection(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """Greedy selection of members with replacement (Caruana et al. 2004, doi 10.1145/1015330.1015432), on the metric.

    In each of 50 rounds that member is added with which the mean of all added so far scores best. What is taken is the
    shortest ensemble on the way that the best one does not surpass by more than two standard errors of their
    difference: a member that is noise adds a little by luck, and is to get no weight.

    With `per_class` each column has a selection of its own, by its own AUC if the metric is one of ranks, else by its
    own log loss.
    """
    if per_class and stack.shape[2] > 1:
        alone = METRICS["auc" if metric.rank_based else "log_loss"]
        columns = [
            _selected(stack[:, :, [column]], _members(targets, column), alone) for column in range(stack.shape[2])
        ]
        return _weighted(np.stack(columns, axis=1), _exclusive(stack, targets))
    return _weighted(_selected(stack, targets, metric), _exclusive(stack, targets))


def _selected(stack: np.ndarray, targets: np.ndarray, metric: Metric) -> np.ndarray:
    picks, scores = greedy_path(stack, targets, metric)
    if not np.isfinite(scores).any():  # undefined: nothing tells members apart
        return np.ones(len(stack))
    chosen = picks[: shortest_prefix(stack, targets, metric, picks, scores)]
    return np.bincount(chosen, minlength=len(stack)).astype(np.float64)


def greedy_path(
    stack: np.ndarray, targets: np.ndarray, metric: Metric, rounds: int = ROUNDS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The members that are added, in turn, and the score of the mean after each.

    Args:
        stack: float64 (members, n, columns).
        rounds: how many are added. Defaults to 50.
        seed: decides which of equally good members is taken.

    Returns:
        int (rounds,); float64 (rounds,), made so that higher is better.
    """
    order = np.random.default_rng(seed).permutation(len(stack))
    total, picks, scores = np.zeros(stack.shape[1:]), [], []
    for size in range(1, rounds + 1):
        tried = np.array([metric.sign * metric(targets, (total + stack[member]) / size) for member in order])
        tried = np.nan_to_num(tried, nan=-np.inf)
        best = int(np.argmax(tried >= tried.max() - TOLERANCE))
        picks.append(int(order[best]))
        scores.append(tried[best])
        total += stack[order[best]]
    return np.array(picks), np.array(scores)


def shortest_prefix(
    stack: np.ndarray, targets: np.ndarray, metric: Metric, picks: np.ndarray, scores: np.ndarray
) -> int:
    """The length of the shortest beginning of a greedy path that is as good as the best, but for chance.

    As in the pruning of trees (Breiman et al. 1984), with two standard errors in the place of one. They are those of
    the difference of the two on the same rows, over 100 draws of the rows with replacement; of more than 10,000 rows so
    many are drawn, and the error is brought to the size of the table.
    """
    best = int(np.argmax(scores >= scores.max() - TOLERANCE)) + 1
    rng = np.random.default_rng(0)
    drawn_rows = min(len(targets), DRAWN)
    shrink = np.sqrt(drawn_rows / len(targets))
    draws = [rng.integers(len(targets), size=drawn_rows) for _ in range(RESAMPLES)]

    def drawn(length: int) -> np.ndarray:
        blended = stack[picks[:length]].mean(axis=0)
        return np.array([metric.sign * metric(targets[rows], blended[rows]) for rows in draws])

    of_best = drawn(best) if best > 1 else None
    for length in range(1, best):
        difference = of_best - drawn(length)
        difference = difference[~np.isnan(difference)]
        if len(difference) < 2 or scores[best - 1] - scores[length - 1] <= 2 * shrink * difference.std(ddof=1):
            return length
    return best


@ensemble_method("optimised weights")
def optimised(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """Weights of sum 1, none negative, of the weighted mean with the least log loss (SLSQP; the problem is convex).

    With `per_class` each column has weights of its own, by its own log loss.
    """
    exclusive = _exclusive(stack, targets)
    if per_class and stack.shape[2] > 1:
        columns = [
            simplex_weights(stack[:, :, [column]], _members(targets, column)) for column in range(stack.shape[2])
        ]
        return _weighted(np.stack(columns, axis=1), exclusive)
    return _weighted(simplex_weights(stack, targets), exclusive)


def simplex_weights(stack: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The weights float64 (members,), at least 0 and of sum 1, whose mean has the least log loss."""
    from scipy.optimize import minimize

    if _exclusive(stack, targets):
        truth = stack[:, np.arange(len(targets)), targets]  # (members, n): what each gave to what was true
    else:
        right = targets.reshape(len(targets), -1) == 1
        truth = np.where(right, stack, 1 - stack).reshape(len(stack), -1)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        blended = np.maximum(weights @ truth, MIN_PROBABILITY)
        return -float(np.log(blended).mean()), -(truth / blended).mean(axis=1)

    members = len(stack)
    found = minimize(
        loss,
        np.full(members, 1 / members),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * members,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like},
        options={"maxiter": 500, "ftol": 1e-12},
    )
    weights = np.where(found.x < NEGLIGIBLE, 0, found.x)
    return weights / weights.sum()


@ensemble_method("stacking")
def stacking(stack: np.ndarray, targets: np.ndarray, metric: Metric, per_class: bool = False) -> FittedTransform:
    """Logistic regression on the members' logits (Wolpert 1992), each of mean 0 and deviation 1, with C = 1.

    Of classes that exclude each other all logits tell on each; each label is told by its own logits. Where the targets
    are all the same there is nothing to learn, and the plain mean is taken.
    """
    if len(np.unique(targets)) < 2:
        return mean(stack, targets, metric)
    if _exclusive(stack, targets):
        slopes, offsets = _regression(_features(stack, True), targets)
        return FittedTransform.by(stacked_classes, slopes=slopes, offsets=offsets, classes=np.unique(targets))
    labels = targets.reshape(len(targets), -1)
    slopes, offsets = np.full((labels.shape[1], len(stack)), np.nan), np.zeros(labels.shape[1])
    for label in range(labels.shape[1]):
        if len(np.unique(labels[:, label])) == 2:
            found = _regression(_features(stack[:, :, [label]], False), labels[:, label])
            slopes[label], offsets[label] = (each[0] for each in found)
    return FittedTransform.by(stacked_labels, slopes=slopes, offsets=offsets)


@prediction_map
def stacked_classes(stack: np.ndarray, slopes: np.ndarray, offsets: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Probabilities of those classes that were seen, by a regression with a row of slopes for each, or one for two."""
    decision = _features(stack, True) @ slopes.T + offsets
    if len(classes) == 2:
        decision = np.concatenate([np.zeros_like(decision), decision], axis=1)
    result = np.zeros(stack.shape[1:])
    result[:, classes] = softmax(decision, axis=1)
    return result


@prediction_map
def stacked_labels(stack: np.ndarray, slopes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Probabilities of labels, each by a regression of its own; without one (slopes not a number) the plain mean."""
    by_regression = expit(np.einsum("lm,mnl->nl", slopes, to_logits(stack, False)) + offsets)
    return np.where(np.isnan(slopes[:, 0]), stack.mean(axis=0), by_regression)


def _regression(features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes float64 (classes, or 1 of two, features) and offsets, for the features as they are."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(features), targets)
    slopes = model.coef_ / scaler.scale_
    return slopes, model.intercept_ - slopes @ scaler.mean_


def _features(stack: np.ndarray, exclusive: bool) -> np.ndarray:
    return np.concatenate(list(to_logits(stack, exclusive)), axis=1)


def _weighted(weights: np.ndarray, exclusive: bool) -> FittedTransform:
    """The weighted mean; with weights for each column, of classes that exclude each other brought to a sum of 1."""
    weights = weights / weights.sum(axis=0)
    if weights.ndim == 1:
        return FittedTransform.by(weighted_mean_of, {"weights": weights}, weights=weights)
    return FittedTransform.by(weighted_columns_of, {"weights": weights}, weights=weights, exclusive=exclusive)


@prediction_map
def weighted_mean_of(stack: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean with a weight for each member."""
    return np.tensordot(weights, stack, axes=1)


@prediction_map
def weighted_columns_of(stack: np.ndarray, weights: np.ndarray, exclusive: bool) -> np.ndarray:
    """The mean with weights float64 (members, columns); of classes that exclude each other brought to a sum of 1."""
    return _normalised(np.einsum("mc,mnc->nc", weights, stack), exclusive)


def _exclusive(stack: np.ndarray, targets: np.ndarray) -> bool:
    return targets.ndim == 1 and stack.shape[2] > 1


def _members(targets: np.ndarray, column: int) -> np.ndarray:
    """Who is of a class, or has a label: int (n,)."""
    return targets[:, column] if targets.ndim == 2 else (targets == column).astype(np.int64)


def _normalised(predictions: np.ndarray, exclusive: bool) -> np.ndarray:
    return predictions / predictions.sum(axis=1, keepdims=True) if exclusive else predictions
