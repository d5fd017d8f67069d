"""Checks of heat maps: randomised weights, and the pointing game."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from medfold.prediction import GradCam
from medfold.prediction.grad_cam_checks import hits_finding, random_hits, randomise_weights
from tests.support.heat_maps import build, noise


@pytest.mark.slow
def test_randomised_weights_change_the_maps():
    net = build()
    original_weights = [each.copy() for each in net.get_weights()]
    one, again, third = (randomise_weights(net, seed) for seed in (5, 5, 6))
    for before, now in zip(original_weights, net.get_weights(), strict=True):
        np.testing.assert_array_equal(before, now)
    changed = []
    for a, b, c, own in zip(*(each.get_weights() for each in (one, again, third, net)), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(np.sort(a, axis=None), np.sort(own, axis=None))
        changed.append((a != own).any() and (a != c).any())
    assert changed[0]
    pixels, columns = noise(8), np.zeros(8, int)
    maps, same, other = (GradCam(each)(pixels, columns, signed=True) for each in (net, net, one))

    def agreement(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]))

    assert agreement(maps, same) == pytest.approx(1)
    assert agreement(maps, other) < 0.5


def test_hits_finding_if_maximum_is_within_grown_finding():
    maps = np.zeros((5, 20, 30), np.float32)
    maps[:4, 10, 12] = 1
    maps[0, 3, 3] = 0.9  # not the largest
    x, y = np.array([12, 17, 18, 12, 0]), np.array([10, 10, 10, 16, 0])
    radius = np.array([1.0, 3, 3, 3, 3])
    assert hits_finding(maps, x, y, radius, (2, 1)).tolist() == [True, True, False, False, False]
    assert hits_finding(maps, x, y, radius, (1, 3)).tolist() == [True, True, True, True, False]
    assert hits_finding(maps[:0], *np.zeros((3, 0)), (1, 1)).tolist() == []


def test_random_hits_is_area_share_of_grown_finding():
    chance = random_hits((20, 30), np.array([15, 0]), np.array([10, 0]), np.array([1.0, 1.0]), (1, 1))
    # 13 pixels lie within 2 of a pixel, 6 of them if it is a corner.
    np.testing.assert_allclose(chance, [13 / 600, 6 / 600])
    maps = np.zeros((600, 20, 30), np.float32)
    maps.reshape(600, 600)[np.arange(600), np.arange(600)] = 1
    each = hits_finding(maps, *(np.full(600, value) for value in (15, 10, 1.0)), (1, 1))
    assert each.mean() == pytest.approx(chance[0])
