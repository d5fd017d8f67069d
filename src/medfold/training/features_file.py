"""The file with the features of a frozen backbone, which all folds and seeds share; without Keras."""

from importlib.metadata import version
from pathlib import Path

from medfold.competition import Competition, Recipe
from medfold.images import store_key
from medfold.system import array_files, files, hardware, locks
from medfold.system.hashes import fingerprint
from medfold.terminal.console import warn
from medfold.training.run_metadata import hash_pretrained_weights, plugins_and_backend


def features_path(competition: Competition, recipe: Recipe) -> Path:
    """Returns the file for the features of the recipe's frozen backbone; its name depends on all that changes them."""
    key = store_key(competition, recipe.preparation)
    inputs = [
        recipe.backbone.model_dump(exclude={"freeze_norm", "width"}),
        hash_pretrained_weights(recipe),
        competition.facts.images.symmetry,
        bool(hardware.cuda_devices()),
        version("keras"),
        *plugins_and_backend(competition).values(),
    ]
    return competition.paths.features(key) / f"{fingerprint(inputs)}.npy"


def features_hashes_path(features: Path) -> Path:
    """Returns the file with the hashes of a file of features."""
    return features.with_suffix(".json")


def remove_damaged_features(path: Path) -> None:
    """Removes features that differ from the hashes recorded when they were computed: they are computed again."""
    if not path.is_file():
        return
    with locks.lock(path):
        hashes = features_hashes_path(path)
        if not array_files.is_intact(path, hashes):
            warn("damaged", f"{path.name} has changed since it was written: computed again")
            files.remove(path)
            files.remove(hashes)
