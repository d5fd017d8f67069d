"""Names of parts: train, validation, test."""

import pytest

from medfold.raw_files.parts import part_from_name


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *[(name, "train") for name in ("train", "Training", "stage_2_train", "TrainImages", "train2019", "trainset")],
        *[(name, "valid") for name in ("val", "valid_data", "DEV", "Validation", "eval", "valdata")],
        *[
            (name, "test")
            for name in ("test", "Testing-Set", "DRTest", "test1", "testdata", "testset", "holdout_images")
        ],
        *[(name, None) for name in ("latest", "testis", "contest", "images", "data", "set", "", "2019")],
    ],
)
def test_part_from_name_finds_words_for_parts(name, part):
    assert part_from_name(name) == part
