"""The inputs of a run, as run.json records them."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from medfold.competition import Competition, Recipe, plugins_hash, weights_without_folders
from medfold.folds import folds_fingerprint
from medfold.images import store_key
from medfold.runs import RunMetadata, images_fingerprints, labels_fingerprint
from medfold.system import hardware
from medfold.system.git import git_commit
from medfold.system.hashes import sha256

# Packages whose versions run.json records, beside that of the Keras backend: tensorflow, jax, torch.
RECORDED_PACKAGES = ("keras", "numpy", "albumentations", "opencv-python-headless")


def run_metadata(competition: Competition, recipe: Recipe, seed: int, command: str | None = None) -> RunMetadata:
    """Returns the content of run.json for a run that starts now.

    Args:
        competition: the competition (facts, folds, images, labels).
        recipe: the recipe of the run, with its overrides.
        seed: the seed of the run.
        command: the command that starts it. Defaults to none.
    """
    return RunMetadata(
        competition=competition.paths.name,
        seed=seed,
        recipe=_recipe_content(recipe),
        facts=competition.facts.model_dump(mode="json"),
        folds_fingerprint=folds_fingerprint(competition.paths),
        images_fingerprints=images_fingerprints(competition),
        labels_fingerprint=labels_fingerprint(competition),
        store_key=store_key(competition, recipe.preparation),
        pretrained_hash=hash_pretrained_weights(recipe),
        versions=package_versions(),
        commit=git_commit(competition.project_paths.root),
        **plugins_and_backend(competition),
        **({"command": command} if command else {}),
    )


def package_versions() -> dict[str, str]:
    """Returns the versions of the packages that decide about the bytes of a result, by name."""
    return {name: version(name) for name in (hardware.keras_backend(), *RECORDED_PACKAGES)}


def _recipe_content(recipe: Recipe) -> dict[str, Any]:
    content = recipe.model_dump(mode="json")
    content["backbone"]["weights"] = weights_without_folders(recipe.backbone.weights)
    return content


def plugins_and_backend(competition: Competition) -> dict[str, str]:
    """Returns the entries of run.json for plugins.py and a Keras backend other than TensorFlow."""
    plugins = plugins_hash(competition.paths.plugins)
    backend = hardware.keras_backend()
    return ({"plugins_hash": plugins} if plugins else {}) | ({"backend": backend} if backend != "tensorflow" else {})


def hash_pretrained_weights(recipe: Recipe) -> str | None:
    """Returns the hash of the backbone's weights file; None if the weights are not a file."""
    weights = Path(recipe.backbone.weights).expanduser()
    return sha256(weights) if weights.is_file() else None
