"""Selection of the holdout of `labels.holdout`: whole groups, with all classes in proportion."""

import numpy as np
import pandas as pd

from medfold.errors import SettingError
from medfold.text import count_of

MAX_MOVES = 1000  # groups moved in or out of the holdout to approach the requested share


def select_holdout(ids: pd.Series, targets: np.ndarray, groups: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Selects a share of the samples in whole groups, with all classes (or labels) in proportion.

    Groups are sorted by the labels they contain, in random order within equal ones, and sampled systematically from
    that order. Then single groups change sides as long as this brings the counts nearer to the share.

    Args:
        ids: ids of the samples, text (n,), unique.
        targets: int (n,) classes, or int (n, labels) of 0 and 1.
        groups: group numbers, int (n,), with duplicates joined.
        share: share of the samples to hold out, above 0 and below 1.
        seed: seed of the random order of the groups.

    Returns:
        bool (n,): True for the holdout.

    Raises:
        SettingError: the groups are too few or too large for this share.
    """
    by_id = np.argsort(ids.to_numpy(), kind="stable")
    group = pd.factorize(groups[by_id])[0]
    ordered = targets[by_id]
    is_of_class = ordered if targets.ndim == 2 else ordered[:, None] == np.arange(targets.max() + 1)
    indicators = np.column_stack([is_of_class, np.ones(len(group), bool)]).astype(np.float64)
    counts = np.zeros((group.max() + 1, indicators.shape[1]))
    np.add.at(counts, group, indicators)
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    order = shuffled[np.lexsort((counts[shuffled, :-1] > 0).T)]
    selected = np.zeros(len(counts), bool)
    # Systematic sampling: a group is selected where the running share of the groups crosses a half.
    selected[order] = np.diff(np.floor(np.arange(len(counts) + 1) * share + 0.5)) > 0
    selected = _improve(selected, counts, share)
    if selected.all() or not selected.any():
        chosen = "all" if selected.all() else "none"
        largest = count_of(round(counts[:, -1].max()), "sample")
        what = f"groups are not split, so a share of {share:g} would be {chosen} of the samples: "
        what += f"{count_of(len(counts), 'group')}, the largest with {largest}"
        raise SettingError(what, "labels.holdout", "Set another share, or check labels.group and folds.duplicates")
    holdout = np.empty(len(ids), bool)
    holdout[by_id] = selected[group]
    return holdout


def _improve(selected: np.ndarray, counts: np.ndarray, share: float) -> np.ndarray:
    """Moves single groups in or out as long as that brings each class closer to the share.

    Args:
        selected: bool (groups,).
        counts: float64 (groups, classes + 1): samples of each class in a group, and of all.
        share: the share of the samples to select.

    Returns:
        The improved selection: bool (groups,).
    """
    selected = selected.copy()
    total = counts.sum(axis=0)
    excess = counts[selected].sum(axis=0) - share * total
    weight = 1 / np.maximum(total, 1)
    for _ in range(MAX_MOVES):
        new_excess = excess + np.where(selected[:, None], -1, 1) * counts
        distance = (new_excess**2 * weight).sum(axis=1)
        best = int(distance.argmin())
        if distance[best] >= (excess**2 * weight).sum() - 1e-9:
            break
        excess = new_excess[best]
        selected[best] = not selected[best]
    return selected
