"""Mixup and cutmix: images, targets and weights are mixed in the same ratio."""

import numpy as np
import pytest

from medfold.competition import TrainingSettings
from medfold.training.batches.mixup import build_mixer, cutmix, mixup

# All pixels of image n are n, its target is one-hot n, its weight n: so each shows the mixing ratio.
COUNT = 16
IMAGES = np.arange(COUNT, dtype=np.float32)[:, None, None, None] * np.ones((1, 12, 10, 2), np.float32)
TARGETS, WEIGHTS = np.eye(COUNT, dtype=np.float32), np.arange(COUNT, dtype=np.float32)


def batch(mixing, seed=0, alpha=0.8):
    return mixing(IMAGES, TARGETS, WEIGHTS, np.random.default_rng(seed), alpha)


@pytest.mark.parametrize("mixing", [mixup, cutmix])
def test_images_targets_and_weights_share_mixing_ratio(mixing):
    images, targets, weights = mixing(IMAGES, TARGETS, np.full(COUNT, 2, np.float32), np.random.default_rng(0), 0.8)
    assert images.dtype == targets.dtype == weights.dtype == np.float32
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), targets @ np.arange(COUNT), atol=1e-4)
    np.testing.assert_allclose(weights, 2, atol=1e-6)
    assert (targets.max(axis=1) < 0.99).sum() == 15  # one of the sixteen is its own partner


@pytest.mark.parametrize("mixing", [mixup, cutmix])
def test_mixed_loss_is_weighted_sum_of_partner_losses(mixing):
    _, shares, _ = mixing(IMAGES, TARGETS, np.ones(COUNT, np.float32), np.random.default_rng(0), 0.8)
    labels = np.random.default_rng(1).integers(0, 2, (COUNT, 1)).astype(np.float32)
    _, targets, weights = mixing(IMAGES, labels, WEIGHTS, np.random.default_rng(0), 0.8)
    predictions = np.random.default_rng(2).uniform(0.05, 0.95, (COUNT, 1))

    def loss(target, predicted):
        return -(target * np.log(predicted) + (1 - target) * np.log(1 - predicted))

    # shares[i, j]: share of image j in the mixed image i; predictions[i]: prediction for the mixed image i.
    each = np.array([[loss(labels[j, 0], predictions[i, 0]) for j in range(COUNT)] for i in range(COUNT)])
    expected = (shares * WEIGHTS * each).sum(axis=1)
    np.testing.assert_allclose(weights * loss(targets, predictions)[:, 0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(weights, shares @ WEIGHTS, rtol=1e-5, atol=1e-6)


def test_mixup_blends_whole_images():
    images, _, _ = batch(mixup)
    assert all(len(np.unique(image)) == 1 for image in images)


def test_cutmix_replaces_a_box():
    images, _, _ = batch(cutmix)
    for number, image in enumerate(images[..., 0]):
        values = np.unique(image)
        assert len(values) <= 2
        assert set(values) <= set(range(COUNT))
        rows, columns = np.nonzero(image != number)
        if len(rows):
            box = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert len(np.unique(box)) == 1


@pytest.mark.parametrize("mixing", [mixup, cutmix])
def test_mixing_ratios_follow_beta_distribution(mixing):
    equal = np.ones(COUNT, np.float32)
    drawn = [mixing(IMAGES, TARGETS, equal, np.random.default_rng(seed), 1.0)[1] for seed in range(200)]
    own = np.concatenate([np.diagonal(shares) for shares in drawn])
    # Boxes are clipped at the edge: of sides r with r^2 = u uniform, u (1 - r/4)^2 is left, 0.32 on average.
    expected = 0.5 if mixing is mixup else 0.68
    assert own.mean() == pytest.approx(expected + (1 - expected) / COUNT, abs=0.03)
    assert own.std() > 0.15


def test_equal_seeds_mix_equally_without_changing_input():
    before = IMAGES.copy()
    first, again, other = batch(cutmix), batch(cutmix), batch(cutmix, seed=1)
    assert (first[0] == again[0]).all()
    assert (first[0] != other[0]).any()
    assert (before == IMAGES).all()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"mixup": 0.4}, {(mixup, 0.4)}), ({"cutmix": 1.5}, {(cutmix, 1.5)}), ({}, None)]
    + [({"mixup": 0.4, "cutmix": 1.5}, {(mixup, 0.4), (cutmix, 1.5)})],
)
def test_build_mixer_follows_the_recipe(settings, expected):
    mixer = build_mixer(TrainingSettings.model_validate(settings))
    if expected is None:
        assert mixer is None
        return
    found = set()
    for seed in range(20):
        images = mixer(IMAGES, TARGETS, WEIGHTS, np.random.default_rng(seed))[0]
        for method, alpha in expected:
            rng = np.random.default_rng(seed)
            rng.integers(len(expected))  # the mixer draws the method first
            if (images == method(IMAGES, TARGETS, WEIGHTS, rng, alpha)[0]).all():
                found.add((method, alpha))
                break
        else:
            pytest.fail(f"seed {seed}: mixed neither way")
    assert found == expected
