"""Training batches: order, augmentation, mixing and balanced sampling by seed."""

import hashlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.competition import TrainingSettings
from medfold.training.batches.augmentation import build_augmenter
from medfold.training.batches.batches import TrainingBatches
from medfold.training.batches.mixup import build_mixer

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 12, 12, 1), dtype=np.uint8)
augmenter = cache(build_augmenter)  # building one checks it on dozens of images


def pipeline(seed=0, augment="light", batch_size=8, **more):
    rows = np.arange(5, 30)
    return TrainingBatches(
        net_inputs=PIXELS,
        rows=rows,
        targets=rows[:, None].astype(np.float32),
        sample_weights=np.linspace(0, 1, 25, dtype=np.float32),
        augment=augmenter(augment, "horizontal", (12, 12, 1)),
        batch_size=batch_size,
        seed=seed,
        **more,
    )


def batches(start, stop, **more):
    made = pipeline(**more)
    return [made.batch(step) for step in range(start, stop)]


def digest(batches):
    return [hashlib.sha256(b"".join(np.asarray(part).tobytes() for part in batch)).hexdigest() for batch in batches]


def test_equal_seeds_give_equal_batches():
    assert digest(batches(0, 9)) == digest(batches(0, 9))
    assert digest(batches(0, 9, seed=1)) != digest(batches(0, 9))


@pytest.mark.parametrize("start", [1, 3, 5, 8])
def test_resumed_batches_equal_uninterrupted_ones(start):
    assert digest(batches(start, 9)) == digest(batches(0, 9))[start:]


def test_sample_equals_its_row_in_the_batch():
    whole = list(batches(0, 9))
    direct = pipeline()
    for epoch, position in ((2, 17), (0, 3), (1, 8)):
        image, target, weight = direct.sample(epoch, position)
        batch, row = divmod(epoch * 24 + position, 8)
        assert (whole[batch][0][row] == image).all()
        assert (whole[batch][1][row, 0], whole[batch][2][row]) == (target[0], weight)


def test_targets_and_weights_match_their_image():
    weights = dict(zip(range(5, 30), np.linspace(0, 1, 25, dtype=np.float32), strict=True))
    for images, targets, drawn in batches(0, 3, augment="none"):
        for image, row, weight in zip(images, targets[:, 0].astype(int), drawn, strict=True):
            assert (image == PIXELS[row]).all()
            assert weight == weights[row]


def test_epochs_reshuffle_without_repeating_images():
    made = pipeline()
    assert made.batches_per_epoch == 3
    orders = [made.drawn(epoch)[0] for epoch in range(5)]
    assert all(len(set(order)) == 24 for order in orders)
    assert len({tuple(order) for order in orders}) == 5


def test_an_image_is_augmented_anew_in_each_epoch():
    made = replace(pipeline(), augment=lambda pixels, seed: np.array([seed]))
    for epoch in range(5):
        assert [made.sample(epoch, position)[0] for position in range(24)] == list(made.drawn(epoch)[1])
    assert len({seed for epoch in range(5) for seed in made.drawn(epoch)[1]}) == 5 * 24


def test_mixing_depends_only_on_seed_and_step():
    mix = build_mixer(TrainingSettings(mixup=0.4, cutmix=1.0))
    whole = digest(batches(0, 9, mix=mix))
    assert whole != digest(batches(0, 9))
    assert whole == digest(batches(0, 9, mix=mix))
    assert digest(batches(4, 9, mix=mix)) == whole[4:]


def test_each_step_mixes_by_numbers_of_its_own():
    drawn = []

    def mix(images, targets, sample_weights, rng):
        drawn.append(rng.random())
        return images, targets, sample_weights

    list(batches(0, 4, mix=mix))
    assert len(set(drawn)) == 4


def test_balanced_epoch_draws_classes_equally_often():
    classes = np.array([0] * 20 + [1] * 4 + [2])
    made = pipeline(classes=classes)
    for epoch in range(3):
        order = made.drawn(epoch)[0]
        assert np.bincount(classes[order]).tolist() == [8, 8, 8]
        assert set(order[classes[order] == 1]) == {20, 21, 22, 23}
        assert len(set(order[classes[order] == 0])) == 8  # a large class has no duplicates
    assert made.drawn(0)[0].tolist() == pipeline(classes=classes).drawn(0)[0].tolist()
    assert made.drawn(0)[0].tolist() != made.drawn(1)[0].tolist()


@given(st.lists(st.integers(0, 11), min_size=1, max_size=12), st.booleans(), st.data())
def test_every_image_is_drawn_eventually(classes, balanced, data):
    """The incomplete batch dropped at the end of an epoch must not always hold the same images."""
    rows, batch_size = np.arange(len(classes)), data.draw(st.integers(1, len(classes)))
    made = replace(pipeline(), rows=rows, batch_size=batch_size, classes=np.array(classes) if balanced else None)
    drawn = {int(sample) for epoch in range(500) for sample in made.drawn(epoch)[0]}
    assert drawn == set(rows)
