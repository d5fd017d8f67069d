"""Weights of images by class, classes without an image, and the classes to balance by."""

import numpy as np
import pytest

from medfold.training.batches import class_balance
from tests.support.helpers import competition_facts, refused


def test_balanced_weights_give_every_class_the_same_sum():
    targets = np.array([0] * 90 + [1] * 10)
    weights = class_balance.sample_weights(competition_facts(), "balanced", targets)
    assert weights[targets == 0].sum() == pytest.approx(weights[targets == 1].sum())
    assert weights.mean() == pytest.approx(1)
    absent = class_balance.sample_weights(competition_facts("multiclass"), "balanced", np.array([0, 0, 2]))
    assert np.isfinite(absent).all()


def test_labels_of_multilabel_tasks_are_not_balanced_by_image():
    targets = np.array([[0, 0], [1, 0], [0, 0], [1, 1]])
    assert (class_balance.sample_weights(competition_facts("multilabel"), "balanced", targets) == 1).all()


def test_absent_label_is_warned_of(capsys):
    targets = np.array([[1, 0], [1, 0]])
    class_balance.check_classes_present(competition_facts("multilabel"), targets, "fold 0")
    assert (
        "fold 0     no image to train on has the label b: it is always predicted as absent" in capsys.readouterr().out
    )


def test_absent_class_is_refused():
    with refused("no image to train on is of class 2"):
        class_balance.check_classes_present(competition_facts("multiclass"), np.array([0, 1]), "fold 0")


def test_multilabel_sampling_balances_label_combinations():
    targets = np.array([[0, 0], [1, 0], [0, 0], [1, 1]])
    assert len(set(class_balance.balancing_classes(competition_facts("multilabel"), targets))) == 3
    assert class_balance.balancing_classes(competition_facts(), np.array([0, 1, 1])).tolist() == [0, 1, 1]
