"""Checks that a recipe and the images of a fold suffice for training."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from medfold.competition import Recipe, TrainingSettings
from medfold.training.fold.recipe_checks import check_num_batches, check_pretrained_weights, check_training_images
from medfold.training.loop.phases import TrainingImages
from tests.support.helpers import competition_facts, refused


def images(targets: list[int]) -> TrainingImages:
    pixels = np.zeros((len(targets), 8, 8, 1), np.uint8)
    return TrainingImages(pixels, Path("no features"), np.arange(len(targets)), np.array(targets, int), 0, 0)


def test_enough_images_are_accepted():
    assert (
        check_training_images(competition_facts(), TrainingSettings(batch_size=4), images([0, 1, 0, 1]), "fold 0")
        is None
    )


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([], "^fold 0: no readable image to train on"),
        ([0, 0, 0, 0], "^fold 0: no image to train on is of class 1.*check labels.targets"),
        ([0, 1, 0], r"^training\.batch_size, fold 0: a batch of 4 is more than the 3 images"),
    ],
)
def test_too_few_images_raise(targets, message):
    with refused(message):
        check_training_images(competition_facts(), TrainingSettings(batch_size=4), images(targets), "fold 0")


def test_phase_needs_the_batches_of_one_step():
    def phase(batches_per_epoch: int) -> SimpleNamespace:
        return SimpleNamespace(batches=SimpleNamespace(batches_per_epoch=batches_per_epoch), epochs=2)

    training = TrainingSettings(accumulation_steps=6)
    assert check_num_batches(training, [phase(3)], "fold 0") is None
    with refused(r"^training\.accumulation_steps, fold 0: 6 batches make a step, and there are 4"):
        check_num_batches(training, [phase(3), phase(2)], "fold 0")


def test_head_alone_needs_pretrained_weights():
    with refused("a backbone without weights has no features"):
        check_pretrained_weights(Recipe.model_validate({"backbone": {"name": "resnet9"}}))
