"""Batches whose images and targets are mixed with one another."""

from dataclasses import dataclass

import numpy as np

from medfold.competition import TrainingSettings

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]  # images, targets, weights


@dataclass(frozen=True)
class Mixer:
    """Mixes a batch as a recipe asks for: mixup, cutmix, or either by the toss of a coin.

    Args:
        mixup, cutmix: alpha of each; 0 leaves it out.
    """

    mixup: float
    cutmix: float

    def __call__(self, images: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> Batch:
        ways = [(way, alpha) for way, alpha in ((mixup, self.mixup), (cutmix, self.cutmix)) if alpha]
        way, alpha = ways[rng.integers(len(ways))]
        return way(images, targets, weights, rng, alpha)


def build_mixer(choices: TrainingSettings) -> Mixer | None:
    """What the recipe asks for, None for nothing."""
    return Mixer(choices.mixup, choices.cutmix) if choices.mixup or choices.cutmix else None


def mixup(
    images: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator, alpha: float
) -> Batch:
    """Every image laid over a partner of the batch (Zhang et al. 2018, arXiv 1710.09412).

    Args:
        images: float32 (batch, height, width, channels).
        targets: float32 (batch, columns).
        weights: float32 (batch,).
        rng: decides partners and shares.
        alpha: of the beta distribution that the shares come from, one for each image.

    Returns:
        Images and weights, each mixed in the same share, and targets mixed in the shares of the weights: so the loss is
        that of both partners, each counting its share times its weight.
    """
    partner, share = rng.permutation(len(images)), rng.beta(alpha, alpha, len(images)).astype(np.float32)
    return _blend(images, images[partner], share), *_mixed_labels(targets, weights, partner, share)


def cutmix(
    images: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator, alpha: float
) -> Batch:
    """A box of every image replaced by that of a partner of the batch (Yun et al. 2019, arXiv 1905.04899).

    Args and returns as for `mixup`; the share is that of the pixels.
    """
    count, height, width = images.shape[:3]
    partner, wanted = rng.permutation(count), rng.beta(alpha, alpha, count)
    box = np.sqrt(1 - wanted)[:, None] * (height, width)
    middle = rng.random((count, 2)) * (height, width)
    low = np.clip(np.rint(middle - box / 2), 0, (height, width)).astype(int)
    high = np.clip(np.rint(middle + box / 2), 0, (height, width)).astype(int)
    mixed = images.copy()
    for number, ((top, left), (bottom, right)) in enumerate(zip(low, high, strict=True)):
        mixed[number, top:bottom, left:right] = images[partner[number], top:bottom, left:right]
    share = (1 - np.prod(high - low, axis=1) / (height * width)).astype(np.float32)
    return mixed, *_mixed_labels(targets, weights, partner, share)


def _mixed_labels(
    targets: np.ndarray, weights: np.ndarray, partner: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and weights with which a cross-entropy is that of both partners, each times its weight and share.

    Cross-entropy is linear in the target: a w E(t) + b v E(s) = (a w + b v) E((a w t + b v s) / (a w + b v)).
    """
    mixed = _blend(weights, weights[partner], share)
    differ = (weights != weights[partner]) & (mixed > 0)
    own = np.divide(share * weights, mixed, out=share.copy(), where=differ)
    return _blend(targets, targets[partner], own), mixed


def _blend(own: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    share = share.reshape(-1, *[1] * (own.ndim - 1))
    return share * own + (1 - share) * other
