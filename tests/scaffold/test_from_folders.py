"""Facts of competitions whose labels are names of folders."""

import pytest

from tests.support.drafts import drafted, facts_and_doubts, pictures, write_images


def test_flat_test_folder_becomes_test_set(tmp_path):
    write_images(tmp_path, "Training/glioma/{n}.jpg", "Training/no_tumor/{n}.jpg", "Testing/{n}.jpg")
    facts, report = drafted(tmp_path)
    assert facts["images"]["train"] == "Training/{label}/{id}.jpg"
    assert facts["images"]["test"] == "Testing/{id}.jpg"
    assert facts["classes"] == ["no_tumor", "glioma"]
    assert facts["images"]["channels"] == 1
    assert "holdout" not in facts["labels"]
    assert "images.train: Training/{label}/{id}.jpg (12 images)" in report
    assert "images.test: Testing/{id}.jpg (6 images without labels)" in report


def test_validation_folder_becomes_test_set_without_a_test_folder(tmp_path):
    names = [f"{part}/{label}/{{n}}.png" for part in ("train", "valid") for label in ("a", "b", "c")]
    write_images(tmp_path / "one", *names, "test/{n}.png")
    facts, report = drafted(tmp_path / "one")
    assert facts["images"]["train"] == ["train/{label}/{id}.png", "valid/{label}/{id}.png"]
    assert "including 18 of the validation set" in report
    write_images(tmp_path / "two", *names)
    facts, _ = drafted(tmp_path / "two")
    assert facts["images"]["train"] == "train/{label}/{id}.png"
    assert facts["images"]["test"] == "valid/{label}/{id}.png"


def test_all_suffixes_and_folders_of_a_part_are_included(tmp_path):
    write_images(tmp_path, "part_1/a/{n}.jpg", "part_2/a/x{n}.JPG", "part_1/b/{n}.png", "part_2/b/x{n}.jpeg")
    facts, report = drafted(tmp_path)
    assert set(facts["images"]["train"]) == {
        "part_1/{label}/{id}.jpg",
        "part_2/{label}/{id}.JPG",
        "part_1/{label}/{id}.png",
        "part_2/{label}/{id}.jpeg",
    }
    assert "24 images" in report


@pytest.mark.parametrize(
    ("paths", "train", "test"),
    [
        (("{c}/train/{c}{n}.png", "{c}/test/{c}t{n}.png"), "{label}/train/{id}.png", "{label}/test/{id}.png"),
        (
            ("traindata/{c}/{c}{n}.png", "testdata/{c}/{c}t{n}.png"),
            "traindata/{label}/{id}.png",
            "testdata/{label}/{id}.png",
        ),
        (("train/{c}/{c}{n}.png", "eval/{c}/{c}t{n}.png"), "train/{label}/{id}.png", "eval/{label}/{id}.png"),
    ],
    ids=["within classes", "compounds", "evaluation"],
)
def test_folders_of_parts_are_found_by_several_words(tmp_path, paths, train, test):
    pictures(tmp_path, *(path.replace("{c}", label) for path in paths for label in ("benign", "normal")))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["images"]["train"], facts["images"]["test"]) == (train, test)
    assert facts["classes"] == ["benign", "normal"]


def test_many_folders_of_few_images_are_a_doubt(tmp_path):
    pictures(tmp_path, *(f"uid{number}/{{n}}.png" for number in range(9)), count=2)
    assert "9 folders with few images each: are they classes, or patients?" in facts_and_doubts(tmp_path)[1]
