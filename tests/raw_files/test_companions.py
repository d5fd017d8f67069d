"""Masks and other companions among the images, found by their names."""

import pytest

from medfold.raw_files.companions import find_companions, mask_warning

NUMBERS = range(6)


@pytest.mark.parametrize(
    ("names", "exclude"),
    [
        (("a{n}.png", "a{n}_mask.png"), ["*_mask.*"]),
        (("a{n}_image.png", "a{n}_seg.png"), ["*_seg.*"]),
        (("a{n}.png", "mask_a{n}.png"), ["*/mask_*", "mask_*"]),
        (("images/a{n}.png", "masks/a{n}.png"), ["masks/*"]),
        (("set/images/a{n}.png", "set/masks/a{n}_m.png"), ["*/masks/*"]),
        (("images/no/{n}.png", "images/yes/{n}.png", "masks/no/{n}.png", "masks/yes/{n}.png"), ["masks/*"]),
    ],
)
def test_masks_are_found_by_suffix_prefix_or_folder(names, exclude):
    images = [name.format(n=number) for name in names for number in NUMBERS]
    patterns, count, unclear = find_companions(images)
    assert patterns == exclude
    assert count == len(images) / 2
    assert unclear == {}
    assert f"{count} images are named like masks of others: images.exclude: {patterns}" in mask_warning(images)


def test_other_additions_are_unclear_and_not_excluded():
    images = [name.format(n=number) for name in ("a{n}.png", "a{n}_left.png") for number in NUMBERS]
    assert find_companions(images) == ([], 0, {"_left": 6})
    assert "6 images are named like others with '_left' added: masks?" in mask_warning(images)


@pytest.mark.parametrize(
    "names",
    [
        ("a{n}.png",),
        ("a{n}_left.png", "a{n}_right.png"),
        ("label_0/{n}.png", "label_1/{n}.png", "label_2/{n}.png"),  # equal numbers prove nothing
        ("segmented/{n}.png", "band/{n}.png", "lymphocyte/{n}.png"),
    ],
)
def test_images_without_masks_give_no_warning(names):
    images = [name.format(n=number) for name in names for number in NUMBERS]
    assert find_companions(images) == ([], 0, {})
    assert mask_warning(images) == ""


def test_files_of_one_image_are_checked_separately():
    images = [f"a{number}.png|a{number}_mask.png" for number in NUMBERS]
    assert "6 images are named like masks of others" in mask_warning(images)


@pytest.mark.parametrize(
    ("num_images", "num_added", "is_unclear"), [(10, 3, False), (10, 4, True), (20, 4, True), (21, 4, False)]
)
def test_few_additions_are_an_accident(num_images, num_added, is_unclear):
    images = [f"a{number}.png" for number in range(num_images)]
    images += [f"a{number}_left.png" for number in range(num_added)]
    assert find_companions(images) == ([], 0, {"_left": num_added} if is_unclear else {})
