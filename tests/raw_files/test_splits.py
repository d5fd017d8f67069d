"""Names of splits: train, validation, test."""

import pytest

from medfold.raw_files.splits import split_from_name


@pytest.mark.parametrize(
    ("name", "split"),
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
def test_split_from_name_finds_words_for_splits(name, split):
    assert split_from_name(name) == split
