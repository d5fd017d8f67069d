"""The level of the folders whose names are classes."""

import pytest

from tests.support.drafts import drafted, facts_and_doubts, pictures, write_images


def test_hidden_folders_are_not_classes(tmp_path):
    write_images(tmp_path, "train/a/{n}.png", "train/b/{n}.png", "train/.ipynb_checkpoints/{n}.png")
    facts, _ = drafted(tmp_path)
    assert facts["classes"] == ["a", "b"]


def test_folders_within_image_sets_are_the_classes(tmp_path):
    inner = ("colon_image_sets/colon_aca", "colon_image_sets/colon_n", "lung_image_sets/lung_n", "lung_image_sets/scc")
    pictures(tmp_path, *(f"{folder}/{folder[-3:]}{{n}}.jpeg" for folder in inner))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["classes"] == ["colon_aca", "colon_n", "lung_n", "scc"]


def test_unicode_normal_forms_of_a_folder_are_one_class(tmp_path):
    pictures(tmp_path, "sp\u00e4t/a{n}.png", "spa\u0308t/b{n}.png", "normal/c{n}.png")
    assert facts_and_doubts(tmp_path)[0]["classes"] == ["normal", "sp\u00e4t"]


@pytest.mark.parametrize(
    ("outer", "inner", "classes"),
    [
        (("Original Images", "Augmented Images"), ("Measles", "Monkeypox"), ["Measles", "Monkeypox"]),
        (("40X", "100X", "200X"), ("benign", "malignant"), ["benign", "malignant"]),
        (("fold1", "fold2"), ("cat", "dog"), ["cat", "dog"]),
        (("benign", "malignant"), ("40X", "100X"), ["benign", "malignant"]),
        (tuple(f"{n}" for n in range(10253, 10261)), ("0", "1"), ["0", "1"]),
    ],
)
def test_class_folders_are_found_among_two_levels(tmp_path, outer, inner, classes):
    pictures(tmp_path, *(f"{a}/{b}/{a[:3]}{b}{{n}}.png" for a in outer for b in inner), count=3)
    facts, said = facts_and_doubts(tmp_path)
    assert sorted(facts["classes"]) == classes
    assert "classes: folders at another level could be classes, too" in said


def test_folders_of_dates_are_not_classes(tmp_path):
    days = ("2021-03-01", "2021-03-02", "20210401")
    pictures(
        tmp_path, *(f"{day}/{label}/{day[-2:]}{label}{{n}}.png" for day in days for label in ("no", "yes")), count=3
    )
    assert facts_and_doubts(tmp_path)[0]["classes"] == ["no", "yes"]
