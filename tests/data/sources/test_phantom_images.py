"""Synthetic radiographs: seeds, exposure, nodules and their signal-to-noise ratio."""

import cv2
import numpy as np
import pytest

from medfold.data.sources import phantom_images
from medfold.data.sources.phantom import Options


def options(**changes):
    return Options(kind="phantom", **{"seed": 3, **changes})


def test_other_seeds_draw_other_images():
    one, other = (phantom_images.draw_image(options(seed=seed), "train", 0, 1)[0] for seed in (1, 2))
    assert (one != other).mean() > 0.5


def test_snr_follows_its_definition():
    """With and without the nodule, the pixels before exposure differ by |s| = SNR * NOISE."""
    for patient in range(3):
        bright = phantom_images.draw_film(options(prevalence=0.999, snr=(50, 50)), "train", patient, 1)[0]
        faint = phantom_images.draw_film(options(prevalence=0.999, snr=(0, 0)), "train", patient, 1)[0]
        assert np.linalg.norm(bright - faint) / phantom_images.NOISE == pytest.approx(50, rel=1e-3)


def test_contrast_of_a_nodule_grows_with_snr():
    def centre(snr):
        pixels, facts = phantom_images.draw_image(options(prevalence=0.999, snr=(snr, snr)), "train", 4, 1)
        x, y = facts["nodule"]["x"], facts["nodule"]["y"]
        return cv2.GaussianBlur(pixels, (0, 0), 1.5)[y, x].astype(int)

    assert centre(5) < centre(40) < centre(120)


def test_exposure_varies_between_images():
    means = [phantom_images.draw_image(options(), "train", patient, 1)[0].mean() for patient in range(20)]
    assert np.std(means) > 10
