"""What a run is made from: run.json names it, and features that depend on it have a file of their own."""

import dataclasses

import pytest

from medfold.competition.recipe import Recipe
from medfold.system.hashes import sha256
from medfold.training.run_metadata import features_path, hash_pretrained_weights, run_metadata


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


def test_run_metadata_names_seed_folds_and_plugins(folded):
    metadata = run_metadata(folded, recipe(), 3)
    assert (metadata["competition"], metadata["seed"]) == ("small", 3)
    assert metadata["recipe"]["backbone"]["name"] == "MobileNetV2"
    assert "plugins_hash" not in metadata
    folded.paths.plugins.write_text("# mine\n")
    assert run_metadata(folded, recipe(), 3)["plugins_hash"]


def test_versions_name_the_package_of_the_backend(folded, monkeypatch):
    assert "tensorflow" in run_metadata(folded, recipe(), 0)["versions"]
    monkeypatch.setattr("medfold.training.run_metadata.version", lambda name: f"version of {name}")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    versions = run_metadata(folded, recipe(), 0)["versions"]
    assert versions["jax"] == "version of jax"
    assert "tensorflow" not in versions


def test_weights_file_is_hashed(tmp_path):
    file = tmp_path / "net.weights.h5"
    file.write_bytes(b"weights")
    assert hash_pretrained_weights(recipe(weights=str(file))) == sha256(file)
    assert hash_pretrained_weights(recipe()) is None
