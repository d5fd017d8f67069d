"""Mixup and cutmix: images and targets of a batch mixed with one another."""

from dataclasses import dataclass

import numpy as np

from medfold.competition import TrainingSettings
from medfold.training.batches.batches import Batch


@dataclass(frozen=True)
class Mixer:
    """Mixup or cutmix of the batches of a training; if a recipe sets both, one is chosen at random for each batch.

    Args:
        mixup: alpha of the beta distribution of mixup; 0 disables it.
        cutmix: alpha of the beta distribution of cutmix; 0 disables it.
    """

    mixup: float
    cutmix: float

    def __call__(
        self, images: np.ndarray, targets: np.ndarray, sample_weights: np.ndarray, rng: np.random.Generator
    ) -> Batch:
        """Mixes each image of a batch with another one, and its label as well."""
        methods = [(method, alpha) for method, alpha in ((mixup, self.mixup), (cutmix, self.cutmix)) if alpha]
        method, alpha = methods[rng.integers(len(methods))]
        return method(images, targets, sample_weights, rng, alpha)


def build_mixer(training: TrainingSettings) -> Mixer | None:
    """Builds the mixer of a recipe; None if it sets neither mixup nor cutmix."""
    return Mixer(training.mixup, training.cutmix) if training.mixup or training.cutmix else None


def mixup(
    images: np.ndarray, targets: np.ndarray, sample_weights: np.ndarray, rng: np.random.Generator, alpha: float
) -> Batch:
    """Blends every image with a partner of the batch (Zhang et al. 2018, arXiv 1710.09412).

    Args:
        images: float32 (batch, height, width, channels).
        targets: float32 (batch, columns).
        sample_weights: float32 (batch,).
        rng: draws partners and shares.
        alpha: parameter of the beta distribution of the shares; one share is drawn for each image.

    Returns:
        Images and weights, mixed with the same shares; targets, mixed with the weighted shares. The loss is then that
        of both partners, each multiplied by its share and its weight.
    """
    partner = rng.permutation(len(images))
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    return _blend(images, images[partner], share), *_mixed_labels(targets, sample_weights, partner, share)


def cutmix(
    images: np.ndarray, targets: np.ndarray, sample_weights: np.ndarray, rng: np.random.Generator, alpha: float
) -> Batch:
    """Replaces a box of every image with that of a partner of the batch (Yun et al. 2019, arXiv 1905.04899).

    Args:
        images: float32 (batch, height, width, channels).
        targets: float32 (batch, columns).
        sample_weights: float32 (batch,).
        rng: draws partners, shares and boxes.
        alpha: parameter of the beta distribution of the shares; one share is drawn for each image.

    Returns:
        Images, targets and weights, mixed as by `mixup`; the share is the share of pixels.
    """
    num_images, height, width = images.shape[:3]
    partner = rng.permutation(num_images)
    drawn_share = rng.beta(alpha, alpha, num_images)
    box = np.sqrt(1 - drawn_share)[:, None] * (height, width)
    centre = rng.random((num_images, 2)) * (height, width)
    low = np.clip(np.rint(centre - box / 2), 0, (height, width)).astype(int)
    high = np.clip(np.rint(centre + box / 2), 0, (height, width)).astype(int)
    mixed = images.copy()
    for index, ((top, left), (bottom, right)) in enumerate(zip(low, high, strict=True)):
        mixed[index, top:bottom, left:right] = images[partner[index], top:bottom, left:right]
    share = (1 - np.prod(high - low, axis=1) / (height * width)).astype(np.float32)
    return mixed, *_mixed_labels(targets, sample_weights, partner, share)


def _mixed_labels(
    targets: np.ndarray, sample_weights: np.ndarray, partner: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mixes targets and weights so that the cross-entropy is that of both partners, each times its weight and share.

    Cross-entropy is linear in the target: a w E(t) + b v E(s) = (a w + b v) E((a w t + b v s) / (a w + b v)).
    """
    mixed = _blend(sample_weights, sample_weights[partner], share)
    differ = (sample_weights != sample_weights[partner]) & (mixed > 0)
    target_share = np.divide(share * sample_weights, mixed, out=share.copy(), where=differ)
    return _blend(targets, targets[partner], target_share), mixed


def _blend(own: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    share = share.reshape(-1, *[1] * (own.ndim - 1))
    return share * own + (1 - share) * other
