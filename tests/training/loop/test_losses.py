"""Losses: label weights, label smoothing, focal loss."""

import numpy as np
import pytest

from medfold.competition import TrainingSettings
from medfold.training.loop import losses
from tests.support.helpers import competition_facts


def test_balanced_multilabel_weights_equalise_presence_and_absence():
    rng = np.random.default_rng(0)
    targets = (rng.random((400, 3)) < [0.5, 0.1, 0.02]).astype(int)
    facts = competition_facts("multilabel")
    for kind in ("cross_entropy", "focal"):
        balanced = losses.build_loss(facts, TrainingSettings(class_weights="balanced", loss=kind), targets)
        plain = losses.build_loss(competition_facts("binary"), TrainingSettings(loss=kind))
        outputs = rng.uniform(0.05, 0.95, targets.shape).astype(np.float32)
        expected = 0.0
        for label in range(3):
            truth, label_outputs = targets[:, [label]].astype(np.float32), outputs[:, [label]]
            sides = [float(plain(truth[truth[:, 0] == side], label_outputs[truth[:, 0] == side])) for side in (0, 1)]
            expected += sum(sides) / 2 / 3  # the mean of each side, whatever its size
        assert float(balanced(targets.astype(np.float32), outputs)) == pytest.approx(expected, rel=1e-4)
    without_positives = losses.build_loss(facts, TrainingSettings(class_weights="balanced"), np.zeros((4, 3), int))
    assert np.isfinite(float(without_positives(np.zeros((4, 3), np.float32), np.full((4, 3), 0.5, np.float32))))


def test_weight_of_a_mixed_target_is_the_mix_of_both_weights():
    targets = np.array([[1], [0], [0], [0]])  # so presence weighs 2, absence 2/3
    balanced = losses.build_loss(competition_facts("multilabel"), TrainingSettings(class_weights="balanced"), targets)
    plain = losses.build_loss(competition_facts("multilabel"), TrainingSettings())
    output = np.array([[0.2]], np.float32)
    for share in (0, 0.3, 1):
        target = np.full((1, 1), share, np.float32)
        weight = share * 2 + (1 - share) * 2 / 3
        assert float(balanced(target, output)) == pytest.approx(weight * float(plain(target, output)), rel=1e-5)


@pytest.mark.parametrize("gamma", [1.0, 3.0])
@pytest.mark.parametrize(
    ("task", "output"),
    [("binary", [0.9]), ("binary", [0.4]), ("multiclass", [0.9, 0.05, 0.05]), ("multiclass", [0.4, 0.3, 0.3])],
)
def test_focal_loss_downweights_confident_predictions_by_gamma(task, output, gamma):
    focal = losses.build_loss(competition_facts(task), TrainingSettings(loss="focal", focal_gamma=gamma))
    plain = losses.build_loss(competition_facts(task), TrainingSettings())
    truth, outputs = np.eye(len(output))[[0]], np.array([output])
    ratio = float(focal(truth, outputs)) / float(plain(truth, outputs))
    assert ratio == pytest.approx((1 - output[0]) ** gamma, rel=1e-4)


def test_focal_loss_downweights_by_two_unless_the_recipe_says_otherwise():
    default = losses.build_loss(competition_facts(), TrainingSettings(loss="focal"))
    two = losses.build_loss(competition_facts(), TrainingSettings(loss="focal", focal_gamma=2.0))
    truth, outputs = np.eye(1), np.array([[0.4]])
    assert float(default(truth, outputs)) == float(two(truth, outputs))


@pytest.mark.parametrize(
    ("task", "target", "smoothed", "output"),
    [
        ("binary", [1.0], [0.85], [0.6]),
        ("binary", [0.0], [0.15], [0.6]),
        ("multiclass", [0.0, 1.0, 0.0], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3]),
        ("multilabel", [1.0, 0.0], [0.85, 0.15], [0.6, 0.3]),
    ],
)
def test_smoothed_loss_is_that_of_targets_with_a_share_spread_evenly(task, target, smoothed, output):
    facts = competition_facts(task)
    smoothing = losses.build_loss(facts, TrainingSettings(label_smoothing=0.3))
    plain = losses.build_loss(facts, TrainingSettings())
    outputs = np.array([output])
    assert float(smoothing(np.array([target]), outputs)) == pytest.approx(float(plain(np.array([smoothed]), outputs)))
    balanced = TrainingSettings(label_smoothing=0.3, class_weights="balanced")
    if task == "multilabel":  # each label is as often present as absent: its weights are all 1
        equal = losses.build_loss(facts, balanced, np.eye(2, dtype=int))
        assert float(equal(np.array([target]), outputs)) == pytest.approx(
            float(smoothing(np.array([target]), outputs)), rel=1e-5
        )


@pytest.mark.parametrize("gamma", [1.0, 3.0])
def test_balanced_focal_loss_downweights_by_gamma(gamma):
    """Each label is as often present as absent, so that its weights are all 1."""
    facts, output = competition_facts("multilabel"), 0.4
    balanced = TrainingSettings(class_weights="balanced", loss="focal", focal_gamma=gamma)
    loss = losses.build_loss(facts, balanced, np.eye(2, dtype=int))
    found = float(loss(np.array([[1.0, 1.0]], np.float32), np.array([[output, output]], np.float32)))
    assert found == pytest.approx(-np.log(output) * (1 - output) ** gamma, rel=1e-4)


def test_focal_loss_minimum_differs_from_soft_target():
    """For a target of 0.7 the loss is least at 0.88; therefore recipes may not combine it with mixup."""
    focal, p = (
        losses.build_loss(competition_facts(), TrainingSettings(loss="focal")),
        np.linspace(0.5, 0.99, 50, dtype=np.float32),
    )
    found = p[np.argmin([float(focal(np.array([[0.7]], np.float32), np.array([[each]]))) for each in p])]
    assert found == pytest.approx(0.88, abs=0.011)
