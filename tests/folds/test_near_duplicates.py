"""Near-duplicates: close perceptual hashes, similarity of thumbnails, components."""

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.data.sources.phantom import Options
from medfold.data.sources.phantom_images import draw_image
from medfold.folds import near_duplicates
from medfold.images import perceptual_hash

CHANGES = ["jpeg", "smaller", "crop", "turned", "darker", "brighter"]


def changed(pixels, change, seed=0):
    """An altered copy of an image (height, width, 1)."""
    height, width = pixels.shape[:2]
    rng = np.random.default_rng(seed)
    if change == "jpeg":
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_UNCHANGED)
    elif change == "smaller":
        factor = rng.uniform(0.5, 0.8)
        size = round(width * factor), round(height * factor)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    elif change == "crop":
        rows, columns = round(height * 0.97), round(width * 0.97)
        top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
        pixels = pixels[top : top + rows, left : left + columns]
    elif change == "turned":
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-2, 2), 1)
        pixels = cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    else:
        factor = {"darker": 0.85, "brighter": 1.15}[change]
        pixels = np.clip(np.rint(pixels * factor), 0, 255).astype(np.uint8)
    return pixels.reshape(*pixels.shape[:2], 1)


@cache
def radiographs(patients=60, each=2):
    """Synthetic radiographs, ordered by patient, `each` of one patient."""
    options = Options(kind="phantom", seed=3)
    shots = [(patient, number) for patient in range(patients) for number in range(1, each + 1)]
    return [draw_image(options, "train", *shot)[0][..., None] for shot in shots]


def describe(images):
    hashes, thumbnails = zip(*map(perceptual_hash.hash_and_thumbnail, images), strict=True)
    return np.array(hashes), np.stack(thumbnails)


def find_pairs(images):
    return near_duplicates.find_near_duplicates(*describe(images)).pairs.tolist()


def brute_force(hashes, radius):
    distance = np.bitwise_count(hashes[:, None] ^ hashes[None])
    return np.argwhere(np.triu(distance <= radius, 1)).tolist()


def hashes_of_kind(kind, rng, count=150):
    if kind == "random":
        return rng.integers(0, 2**64, count, dtype=np.uint64)
    if kind == "alike":  # few hashes, with some bits flipped
        flips = np.left_shift(np.uint64(1), rng.integers(0, 64, (count, 6), dtype=np.uint64))
        return rng.choice(rng.integers(0, 2**64, 5, dtype=np.uint64), count) ^ np.bitwise_xor.reduce(flips, axis=1)
    if kind == "low bits":  # equal in all bytes but one
        return rng.integers(0, 2**8, count, dtype=np.uint64)
    return np.repeat(rng.integers(0, 2**64, 4, dtype=np.uint64), count // 4)


def close_pairs(hashes, radius):
    return [[row, other] for row, close in near_duplicates.close_hash_pairs(hashes, radius) for other in close.tolist()]


@pytest.mark.parametrize("radius", range(13))
@pytest.mark.parametrize("kind", ["random", "alike", "low bits", "equal"])
def test_close_hash_pairs_equal_brute_force(kind, radius):
    hashes = hashes_of_kind(kind, np.random.default_rng(radius))
    assert close_pairs(hashes, radius) == brute_force(hashes, radius)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.integers(0, 64))
def test_close_hash_pairs_of_any_hashes_equal_brute_force(numbers, radius):
    hashes = np.array(numbers, np.uint64)
    assert close_pairs(hashes, radius) == brute_force(hashes, radius)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("patients", [20, 60])  # below and above MIN_WHITENING images
def test_altered_copies_are_found_but_not_images_of_one_patient(change, patients):
    images = radiographs()[: 2 * patients]
    assert (len(images) < near_duplicates.MIN_WHITENING) == (patients == 20)
    copies = [changed(images[row], change, seed=row + 1) for row in range(0, 16, 2)]
    assert find_pairs(images + copies) == [[row, len(images) + row // 2] for row in range(0, 16, 2)]


def test_similarity_is_higher_for_a_closer_copy():
    image = radiographs()[0]
    brighter = near_duplicates.find_near_duplicates(*describe([image, changed(image, "brighter")])).similarity
    jpeg = near_duplicates.find_near_duplicates(*describe([image, changed(image, "jpeg")])).similarity
    assert near_duplicates.MIN_SIMILARITY <= jpeg[0] < brighter[0] <= 1


@pytest.mark.slow
def test_near_duplicates_do_not_depend_on_image_order():
    images = radiographs()[::2] + [
        changed(radiographs()[row], CHANGES[row % len(CHANGES)], seed=row) for row in range(0, 60, 2)
    ]
    images += [changed(radiographs()[0], "smaller"), changed(radiographs()[0], "darker")]
    hashes, thumbnails = describe(images)
    order = np.random.default_rng(0).permutation(len(images))
    one, other = (
        near_duplicates.find_near_duplicates(hashes, thumbnails),
        near_duplicates.find_near_duplicates(hashes[order], thumbnails[order]),
    )
    again = sorted(zip(np.sort(order[other.pairs], axis=1).tolist(), other.similarity, strict=True))
    assert len(one.pairs) >= 30
    assert again == list(zip(one.pairs.tolist(), one.similarity, strict=True))


def test_equal_images_give_a_star_of_pairs():
    image, other = radiographs()[0], radiographs()[2]
    star = near_duplicates.find_near_duplicates(*describe([other, image, image, image, image]))
    assert star.pairs.tolist() == [[1, 2], [1, 3], [1, 4]]
    assert star.similarity.tolist() == [1, 1, 1]


def test_many_copies_give_a_tree_of_pairs():
    image, rng = radiographs()[0], np.random.default_rng(0)
    copies = [np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8) for _ in range(30)]
    tree = near_duplicates.find_near_duplicates(*describe(copies)).pairs
    assert len(tree) == 29
    assert len(np.unique(near_duplicates.connected_components(30, tree))) == 1


def test_many_copies_are_found_among_other_images():
    rng, image = np.random.default_rng(0), radiographs()[0]
    noisy = [np.clip(image * rng.uniform(0.85, 1) + rng.normal(0, 2, image.shape), 0, 255) for _ in range(150)]
    images = [*radiographs()[2:], *(copy.astype(np.uint8) for copy in noisy)]
    tree = near_duplicates.find_near_duplicates(*describe(images)).pairs
    assert len(tree) == 149
    assert tree.min() >= len(images) - 150


def test_blank_images_are_not_duplicates():
    rng = np.random.default_rng(0)
    blank = [np.full((128, 128, 1), level, np.uint8) for level in (0, 0, 0, 128, 255)]
    noise = [rng.integers(100, 103, (128, 128, 1), dtype=np.uint8) for _ in range(3)]
    assert find_pairs([*blank, *noise]) == []
    image = radiographs()[0]
    assert find_pairs([*blank, image, *noise, changed(image, "darker")]) == [[5, 9]]


def test_images_without_fine_structure_are_not_duplicates():
    ramp = np.linspace(0, 255, 128)
    across, down = np.tile(ramp, (128, 1)), np.tile(ramp[:, None], (1, 128))
    assert find_pairs([np.rint(values).astype(np.uint8)[..., None] for values in (across, down, 255 - across)]) == []


def test_no_images_give_no_pairs():
    nothing = near_duplicates.find_near_duplicates(np.empty(0, np.uint64), np.empty((0, 64, 64), np.uint8))
    assert nothing.pairs.shape == (0, 2)
    assert nothing.pairs.dtype == np.int64
    assert near_duplicates.connected_components(0, nothing.pairs).tolist() == []


def test_images_connected_by_pairs_share_a_component():
    edges = np.array([[1, 4], [4, 5], [2, 6]])
    assert near_duplicates.connected_components(7, edges).tolist() == [0, 1, 2, 3, 1, 1, 2]
    assert near_duplicates.connected_components(3, np.empty((0, 2), np.int64)).tolist() == [0, 1, 2]
