"""OOF predictions of the members of an ensemble."""

import numpy as np

from medfold.ensemble.members import MemberPredictions, error_correlation


def members(stack, targets, folds):
    names = [f"m{number}" for number in range(len(stack))]
    return MemberPredictions(names, stack, targets, folds, np.arange(len(folds)))


def test_error_correlation_is_1_for_equal_members_and_minus_1_for_opposite_errors():
    targets = np.array([0, 1, 0, 1])
    errors = np.array([0.1, -0.3, 0.2, -0.4])
    stack = np.stack([targets + errors, targets + errors, targets - errors])[:, :, None]
    found = error_correlation(members(stack, targets, np.array([0, 0, 1, 1])))
    assert np.allclose(found, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])


def test_error_correlation_of_one_member_is_1():
    found = error_correlation(members(np.array([[[0.2], [0.4]]]), np.array([0, 1]), np.array([0, 1])))
    assert found.tolist() == [[1]]


def test_a_single_fold_cannot_be_cross_fitted():
    stack, targets = np.full((1, 2, 1), 0.5), np.array([0, 1])
    assert members(stack, targets, np.array([0, 1])).can_be_cross_fitted
    assert not members(stack, targets, np.array([2, 2])).can_be_cross_fitted
