"""Data attached to a notebook: the folders where it is mounted."""

import pytest

from medfold.notebooks.attached_data import competition_folder, dataset_folder
from tests.support.helpers import refused


@pytest.mark.parametrize("mount", ["competitions/lungs", "lungs"])
def test_competition_is_found_in_new_and_old_layout(tmp_path, mount):
    (tmp_path / mount).mkdir(parents=True)
    assert competition_folder(tmp_path, "lungs") == tmp_path / mount


@pytest.mark.parametrize("mount", ["datasets/alice/kit", "kit"])
def test_dataset_is_found_in_new_and_old_layout(tmp_path, mount):
    (tmp_path / mount).mkdir(parents=True)
    assert dataset_folder(tmp_path, "alice/kit") == tmp_path / mount


def test_new_layout_is_preferred(tmp_path):
    for mount in ("competitions/lungs", "lungs"):
        (tmp_path / mount).mkdir(parents=True)
    assert competition_folder(tmp_path, "lungs") == tmp_path / "competitions" / "lungs"


def test_missing_data_raises_with_what_is_attached(tmp_path):
    (tmp_path / "datasets" / "alice" / "kit").mkdir(parents=True)
    (tmp_path / "lungs").write_text("a file, not a folder")
    with refused("lungs is not attached.*datasets, datasets/alice"):
        competition_folder(tmp_path, "lungs")
    with refused("bob/kit is not attached"):
        dataset_folder(tmp_path, "bob/kit")
