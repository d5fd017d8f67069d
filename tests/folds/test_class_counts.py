"""Counts of classes in groups."""

import numpy as np

from medfold.folds.class_counts import scarce_classes


def test_scarce_classes_are_those_in_too_few_groups():
    targets, groups = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 2, 3, 3, 4])
    assert scarce_classes(targets, groups, ["a", "b", "c"], 3) == {"b": 1, "c": 1}
    labels = np.array([[1, 0], [1, 0], [1, 1]])
    assert scarce_classes(labels, np.arange(3), ["x", "y"], 2) == {"y": 1}
