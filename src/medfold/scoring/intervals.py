"""Confidence intervals of a score, by bootstrap over groups."""

import numpy as np
import pandas as pd

from medfold.scoring.metrics import Metric


def bootstrap(
    metric: Metric,
    targets: np.ndarray,
    predictions: np.ndarray,
    groups: np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """The percentile bootstrap interval (Efron 1979) of a score.

    Whole groups (patients) are drawn with replacement, since images of one patient do not err independently.
    Resamples on which the metric is undefined are left out.

    Args:
        metric: the score.
        targets, predictions: as the metric takes them.
        groups: (n,), what is drawn as a whole.
        resamples: how many draws. Defaults to 1000.
        seed: of the draws. Defaults to 0.
        level: share of the draws inside the interval. Defaults to 0.95.

    Returns:
        Lower and upper end; nan if the metric is undefined on nine in ten resamples or more.
    """
    number = pd.factorize(groups)[0]
    order = np.argsort(number, kind="stable")
    count = number.max() + 1 if len(number) else 0
    starts = np.searchsorted(number[order], np.arange(count + 1))
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(resamples if count else 0):
        drawn = rng.integers(count, size=count)
        lengths = starts[drawn + 1] - starts[drawn]
        # The rows of the drawn groups, one after the other, without a loop over groups.
        offsets = np.repeat(starts[drawn] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        rows = order[offsets + np.arange(lengths.sum())]
        values.append(metric(targets[rows], predictions[rows]))
    defined = np.array(values)[~np.isnan(values)] if values else np.array([])
    if len(defined) <= 0.1 * resamples:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
