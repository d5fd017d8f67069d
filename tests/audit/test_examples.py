"""Example images to show: of each class, and pairs of near-duplicates."""

import numpy as np
import pytest

from medfold.audit import examples
from medfold.audit.examples import examples_of_classes, near_duplicate_examples, write_near_duplicates_sheet
from medfold.data import make_dataset


@pytest.fixture
def dataset(folded):
    return make_dataset(folded)


def test_examples_of_classes_are_drawn_from_each_class(folded, dataset):
    members = np.stack([dataset.targets == 0, dataset.targets == 1], axis=1).astype(int)
    drawn = dict(examples_of_classes(folded, dataset, members, images_per_class=3))
    assert list(drawn) == [0, 1]
    target = dict(zip(dataset.train["id"], dataset.targets, strict=True))
    for column, shown in drawn.items():
        assert len(shown) == 3
        assert {target[example.id] for example in shown} == {column}
        assert all(example.pixels.shape == (128, 128, 1) for example in shown)


def test_unreadable_images_and_empty_classes_are_left_out(folded, dataset):
    members = np.zeros((len(dataset.train), 2), int)
    members[:2, 0] = 1
    (folded.paths.raw / dataset.train["image"].iloc[0]).write_bytes(b"no image")
    drawn = dict(examples_of_classes(folded, dataset, members))
    assert list(drawn) == [0]
    assert [example.id for example in drawn[0]] == [dataset.train["id"].iloc[1]]


def test_near_duplicate_examples_leave_out_unknown_ids_and_equal_pixels(folded, dataset):
    train, test = dataset.train["id"], dataset.test["id"]
    equal = dataset.leaks.duplicates[0][:2]
    pairs = [tuple(equal), (train.iloc[0], "unknown"), (train.iloc[0], test.iloc[0]), (train.iloc[1], test.iloc[1])]
    (shown,) = near_duplicate_examples(folded, dataset, pairs, max_pairs=1)
    assert [example.id for example in shown] == [train.iloc[0], test.iloc[0]]
    assert shown[0].caption_lines[0] == f"fold {dataset.train['fold'].iloc[0]}"
    assert shown[1].caption_lines[0] == "test"


def test_contact_sheet_of_near_duplicates_is_written_or_removed(folded, dataset, monkeypatch):
    sheet = folded.paths.contact_sheet
    pairs = [tuple(dataset.train["id"].iloc[:2])]
    monkeypatch.setattr(examples, "read_near_duplicates", lambda paths: pairs)
    assert write_near_duplicates_sheet(folded, dataset) == 0
    assert sheet.is_file()
    pairs.clear()
    assert write_near_duplicates_sheet(folded, dataset) is None
    assert not sheet.exists()
