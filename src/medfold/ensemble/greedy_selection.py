"""Greedy selection of members with replacement (Caruana et al. 2004, doi 10.1145/1015330.1015432), on a metric."""

import numpy as np

from medfold.scoring import Metric, scores_of_resamples
from medfold.terminal.progress import with_time_left

NUM_ROUNDS, NUM_RESAMPLES = 50, 100
MAX_RESAMPLED_ROWS = 10_000  # rows of one resample
TOLERANCE = 1e-12  # scores that differ by less are equal


def selection_weights(stack: np.ndarray, targets: np.ndarray, metric: Metric) -> np.ndarray:
    """Returns how often each member is in the shortest good prefix of the greedy selection.

    All are 1 if every score is undefined.
    """
    picks, scores = greedy_path(stack, targets, metric)
    if not np.isfinite(scores).any():
        return np.ones(len(stack))
    chosen = picks[: shortest_prefix(stack, targets, metric, picks, scores)]
    return np.bincount(chosen, minlength=len(stack)).astype(np.float64)


def greedy_path(
    stack: np.ndarray, targets: np.ndarray, metric: Metric, num_rounds: int = NUM_ROUNDS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Adds the best member in each round, and returns the members with the score of the mean after each round.

    Args:
        stack: float64 (members, n, columns).
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        metric: the metric that the mean is scored by.
        num_rounds: number of rounds. Defaults to 50.
        seed: seed of the random order of equally good members. Defaults to 0.

    Returns:
        int (rounds,), the added members; float64 (rounds,), the scores, with their sign such that higher is better.
    """
    order = np.random.default_rng(seed).permutation(len(stack))
    total = np.zeros(stack.shape[1:])
    picks = []
    scores = []
    for size in with_time_left(range(1, num_rounds + 1), "selection", num_rounds, "rounds"):
        candidate_scores = np.array([metric.sign * metric(targets, (total + stack[member]) / size) for member in order])
        candidate_scores = np.nan_to_num(candidate_scores, nan=-np.inf)
        best = int(np.argmax(candidate_scores >= candidate_scores.max() - TOLERANCE))
        picks.append(int(order[best]))
        scores.append(candidate_scores[best])
        total += stack[order[best]]
    return np.array(picks), np.array(scores)


def shortest_prefix(
    stack: np.ndarray, targets: np.ndarray, metric: Metric, picks: np.ndarray, scores: np.ndarray
) -> int:
    """Returns the length of the shortest prefix of a greedy path that is as good as the best one, up to chance.

    This is the rule for pruning trees (Breiman et al. 1984), with two standard errors instead of one. They are the
    standard errors of the difference between both prefixes on the same rows, over 100 resamples of the rows with
    replacement. Resamples of a table of more than 10,000 rows have 10,000 rows, and the error is rescaled to the size
    of the table.

    Args:
        stack: float64 (members, n, columns), predictions.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        metric: the metric that the mean is scored by.
        picks: int (rounds,), the added members, from `greedy_path`.
        scores: float64 (rounds,), the scores after each round, with their sign such that higher is better.
    """
    best = int(np.argmax(scores >= scores.max() - TOLERANCE)) + 1
    rng = np.random.default_rng(0)
    num_rows = min(len(targets), MAX_RESAMPLED_ROWS)
    shrink = np.sqrt(num_rows / len(targets))
    resamples = [rng.integers(len(targets), size=num_rows) for _ in range(NUM_RESAMPLES)]

    def resampled_scores(length: int) -> np.ndarray:
        combined = stack[picks[:length]].mean(axis=0)
        return metric.sign * scores_of_resamples(metric, targets, combined, resamples, NUM_RESAMPLES)

    best_scores = resampled_scores(best) if best > 1 else None
    for length in range(1, best):
        difference = best_scores - resampled_scores(length)
        difference = difference[~np.isnan(difference)]
        if len(difference) < 2 or scores[best - 1] - scores[length - 1] <= 2 * shrink * difference.std(ddof=1):
            return length
    return best
