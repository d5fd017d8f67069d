"""The file with the features of a frozen backbone: its name, and its removal if it is damaged."""

import dataclasses

import numpy as np
import pytest

from medfold.competition import Recipe
from medfold.system import array_files
from medfold.training.features_file import features_hashes_path, features_path, remove_damaged_features


def recipe(**backbone) -> Recipe:
    return Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": "imagenet", **backbone}})


def test_features_path_depends_on_symmetry(folded):
    paths = set()
    for symmetry in ("none", "horizontal"):
        images = folded.facts.images.model_copy(update={"symmetry": symmetry})
        facts = folded.facts.model_copy(update={"images": images})
        paths.add(features_path(dataclasses.replace(folded, facts=facts), recipe()))
    assert len(paths) == 2


@pytest.mark.parametrize(
    ("change", "is_other"), [({"pooling": "pyramid"}, True), ({"freeze_norm": True}, False), ({"width": 8}, False)]
)
def test_features_path_depends_on_what_changes_features(folded, change, is_other):
    assert (features_path(folded, recipe(**change)) != features_path(folded, recipe())) is is_other


def test_damaged_features_are_removed_with_their_hashes_and_intact_ones_stay(tmp_path, capsys):
    path = tmp_path / "features.npy"
    remove_damaged_features(path)  # there are none yet
    features = np.zeros((4, 1, 3), np.float32)
    np.save(path, features)
    array_files.write_hashes(features, features_hashes_path(path))
    remove_damaged_features(path)
    assert path.is_file()
    assert capsys.readouterr().out == ""
    np.save(path, features + 1)
    remove_damaged_features(path)
    assert "damaged    features.npy has changed since it was written: computed again" in capsys.readouterr().out
    assert not path.exists()
    assert not features_hashes_path(path).exists()
