"""What a run is made from, as run.json names it."""

from medfold.competition import Recipe
from medfold.system.hashes import sha256
from medfold.training.run_metadata import hash_pretrained_weights, run_metadata


def recipe(**backbone) -> Recipe:
    return Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": "imagenet", **backbone}})


def test_run_metadata_names_seed_folds_and_plugins(folded):
    metadata = run_metadata(folded, recipe(), 3)
    assert (metadata.competition, metadata.seed) == ("small", 3)
    assert metadata.recipe["backbone"]["name"] == "MobileNetV2"
    assert metadata.plugins_hash is None
    folded.paths.plugins.write_text("# mine\n")
    assert run_metadata(folded, recipe(), 3).plugins_hash


def test_versions_name_the_package_of_the_backend(folded, monkeypatch):
    assert "tensorflow" in run_metadata(folded, recipe(), 0).versions
    monkeypatch.setattr("medfold.training.run_metadata.version", lambda name: f"version of {name}")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    versions = run_metadata(folded, recipe(), 0).versions
    assert versions["jax"] == "version of jax"
    assert "tensorflow" not in versions


def test_weights_file_is_hashed(tmp_path):
    file = tmp_path / "net.weights.h5"
    file.write_bytes(b"weights")
    assert hash_pretrained_weights(recipe(weights=str(file))) == sha256(file)
    assert hash_pretrained_weights(recipe()) is None
