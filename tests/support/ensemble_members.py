"""Predictions of the members of an ensemble."""

import numpy as np
from scipy.special import expit

from medfold.ensemble.members import MemberPredictions


def members(stack, targets, folds=5, seed=0, group=None) -> MemberPredictions:
    """Returns predictions (members, images, columns) as those of members m0, m1 ... on random folds.

    `group` is the group of each image. Defaults to a group for each.
    """
    n = len(targets)
    fold = np.random.default_rng(seed).permutation(n) % folds
    group = np.arange(n) if group is None else group
    return MemberPredictions([f"m{k}" for k in range(len(stack))], stack, targets, fold, group)


def independent(n=1000, count=3, strength=1.0, seed=0) -> tuple[np.ndarray, np.ndarray]:
    """Returns binary predictions of members with independent errors, and the targets."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, n)
    return expit(rng.normal(strength * (2 * targets - 1), 1, (count, n)))[:, :, None], targets


def of_different_accuracy(count=4, n=300, seed=0) -> tuple[np.ndarray, np.ndarray]:
    """Returns binary predictions of members of different accuracy with independent errors, and the targets."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, n)
    strength = np.linspace(0.6, 1.6, count)[:, None]
    return expit(strength * (targets - 0.5) * 2 + rng.normal(0, 1, (count, n)))[:, :, None], targets
