"""Self-check of a fold: signs that a training went wrong although it ended well, each told in one line."""

from dataclasses import dataclass

import numpy as np

from medfold.competition import Competition
from medfold.scoring import bootstrap_interval, chance_score, decisions_of, metric_of, score_in_words

HARDLY = 1e-3  # predictions whose standard deviation is below are the same for all images
NEVER = 0.01  # a loss that goes down by a smaller share has not moved, but for chance
EXPECTED = 5  # a class of which at least so many were expected must be predicted
OTHER_MODE = 0.2  # probability, on average over images, between the net that learns and the net that predicts
RESAMPLES = 300  # of the interval that decides whether a score is no better than chance
UNLIKELY = 6.0  # standard deviations between the shares that are drawn and those that the sampler says


@dataclass(frozen=True)
class TrainedFold:
    """What a self-check looks at.

    Args:
        competition: names metric and columns.
        targets, predictions, groups: of the held-out units: int (n,) or (n, labels); float (n, columns); (n,).
        prior: float (columns,), the mean of the training labels.
        losses: float (epochs,), the mean loss of each epoch.
        learning, predicting: float (m, columns), of the same training images: the net in the mode in which it learns,
            and in that in which it predicts.
        drawn: int (k,), how often each class was drawn in an epoch.
        shares: float (k,), what the sampler says.
    """

    competition: Competition
    targets: np.ndarray
    predictions: np.ndarray
    groups: np.ndarray
    prior: np.ndarray
    losses: np.ndarray
    learning: np.ndarray
    predicting: np.ndarray
    drawn: np.ndarray
    shares: np.ndarray


def self_check(fold: TrainedFold) -> list[str]:
    """What is suspicious about a trained fold, a line each; none if all is well."""
    return [line for check in CHECKS if (line := check(fold))]


def _hardly_vary(fold: TrainedFold) -> str:
    spread = float(np.max(np.std(fold.predictions, axis=0), initial=0))
    if len(fold.predictions) < 2 or spread >= HARDLY:
        return ""
    return f"predictions hardly vary: their standard deviation over {len(fold.predictions):,} images is {spread:.1g}"


def _no_better_than_chance(fold: TrainedFold) -> str:
    metric = metric_of(fold.competition)
    chance = chance_score(fold.competition, fold.targets, fold.prior)
    low, high = bootstrap_interval(metric, fold.targets, fold.predictions, fold.groups, RESAMPLES)
    best = high if metric.higher_is_better else low
    if np.isnan(best) or np.isnan(chance) or metric.sign * (best - chance) > 0:
        return ""
    value = score_in_words(metric(fold.targets, fold.predictions))
    return f"{metric.title} {value} (95 % interval {low:.4f} to {high:.4f}) is no better than chance, {chance:.4f}"


def _loss_did_not_go_down(fold: TrainedFold) -> str:
    if len(fold.losses) < 2:
        return ""
    first, best = float(fold.losses[0]), float(np.min(fold.losses))
    if first - best > NEVER * abs(first):
        return ""
    return f"the loss did not go down: {first:.4f} after the first epoch, {best:.4f} at best of {len(fold.losses)}"


def _class_never_predicted(fold: TrainedFold) -> str:
    competition = fold.competition
    if not competition.exclusive_classes and metric_of(competition).needs != "class":
        return ""  # nothing is decided: what counts is the order
    decided, expected = decisions_of(competition, fold.predictions).sum(axis=0), fold.prior * len(fold.predictions)
    never = [
        f"{name} (about {count:.0f} expected)"
        for name, count, found in zip(competition.prediction_columns, expected, decided, strict=True)
        if count >= EXPECTED and not found
    ]
    return f"never predicted: {', '.join(never[:5])}" if never else ""


def _another_mode(fold: TrainedFold) -> str:
    """Dropout and batch normalisation make a net that learns another one; not one that says something else."""
    if not len(fold.learning):
        return ""
    apart = float(np.max(np.abs(np.mean(fold.learning - fold.predicting, axis=0))))
    flat = np.max(np.std(fold.predicting, axis=0)) < 0.1 * np.max(np.std(fold.learning, axis=0))
    if apart < OTHER_MODE and not flat:
        return ""
    return f"training images are predicted otherwise than they were learnt, by {apart:.2f}: look at batch normalisation"


def _other_shares(fold: TrainedFold) -> str:
    count = fold.drawn.sum()
    expected = fold.shares * count
    deviation = np.sqrt(np.maximum(expected * (1 - fold.shares), 1))
    worst = int(np.argmax(np.abs(fold.drawn - expected) / deviation))
    if abs(fold.drawn[worst] - expected[worst]) <= UNLIKELY * deviation[worst]:
        return ""
    return f"class {worst} was drawn in {fold.drawn[worst] / count:.1%}, the sampler says {fold.shares[worst]:.1%}"


CHECKS = (
    _hardly_vary,
    _no_better_than_chance,
    _loss_did_not_go_down,
    _class_never_predicted,
    _another_mode,
    _other_shares,
)
