"""Perceptual hashes and thumbnails."""

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from medfold.images.perceptual_hash import THUMBNAIL_SIZE, hash_and_thumbnail


def blobs(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Draws smooth blobs."""
    coarse = np.random.default_rng(seed).random((6, 6, shape[2])) * 255
    resized = cv2.resize(coarse, shape[1::-1], interpolation=cv2.INTER_CUBIC).reshape(shape)
    return np.clip(resized, 0, 255).astype(np.uint8)


def num_differing_bits(one: np.uint64, other: np.uint64) -> int:
    return int(one ^ other).bit_count()


@pytest.mark.parametrize(
    "shape", [(64, 64, 1), (20, 30, 3), (40, 300, 3), (515, 777, 1), (1024, 1024, 3), (200, 200, 5), (90, 80, 8)]
)
def test_hash_is_phash_of_the_thumbnail(shape):
    found, thumbnail = hash_and_thumbnail(blobs(shape))
    assert (thumbnail.shape, thumbnail.dtype) == ((THUMBNAIL_SIZE, THUMBNAIL_SIZE), np.uint8)
    assert f"{found:016x}" == str(imagehash.phash(Image.fromarray(thumbnail)))


def test_thumbnail_is_the_shrunken_image():
    pixels = blobs((770, 1000, 1))
    expected = cv2.resize(pixels, (THUMBNAIL_SIZE, THUMBNAIL_SIZE), interpolation=cv2.INTER_AREA)
    assert abs(hash_and_thumbnail(pixels)[1].astype(int) - expected).mean() < 1


def test_thumbnail_is_the_mean_of_the_channels():
    pixels = np.broadcast_to(np.array([30, 60, 90], np.uint8), (100, 130, 3)).copy()
    assert (hash_and_thumbnail(pixels)[1] == 60).all()


def test_resized_brighter_copy_has_a_similar_hash():
    pixels = blobs((300, 400, 1))
    brighter = np.clip(cv2.resize(pixels, (200, 150)) * 1.1, 0, 255).astype(np.uint8)[..., None]
    original, copy, other = (hash_and_thumbnail(each)[0] for each in (pixels, brighter, blobs((300, 400, 1), seed=1)))
    assert num_differing_bits(original, copy) <= 6
    assert num_differing_bits(original, other) >= 16


def test_rows_and_columns_that_do_not_fit_are_cut_off_at_both_borders():
    side = 8 * THUMBNAIL_SIZE + 3  # shrunk by 4 first, which leaves three rows: one before, two after
    pixels = np.full((side, side, 1), 255, np.uint8)
    pixels[1:-2, 1:-2] = 10
    assert (hash_and_thumbnail(pixels)[1] == 10).all()
