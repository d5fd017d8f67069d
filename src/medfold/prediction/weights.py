"""Weights files: written atomically, and loaded into a net that is rebuilt from its recipe."""

import shutil
import tempfile
from pathlib import Path

import keras

from medfold import files
from medfold.competition import Competition, Recipe
from medfold.errors import UserError
from medfold.models import build_model


def load_model(competition: Competition, recipe: Recipe, weights: Path) -> keras.Model:
    """Loads the trained net of a fold: rebuilds it from its recipe, and reads its weights.

    Args:
        competition: gives channels, task and number of outputs.
        recipe: the recipe of the run.
        weights: path of the weights file.

    Raises:
        UserError: the file is damaged, or contains weights of another net.
    """
    model = build_model(competition, recipe, pretrained=False)
    read_weights(model, weights)
    return model


def save_weights(model: keras.Model, weights: Path) -> None:
    """Writes the weights of a net atomically."""
    with files.atomic_write(weights) as temporary:
        # Keras selects the format by the file extension.
        folder = temporary.with_suffix(".folder.tmp")
        folder.mkdir()
        try:
            # A copy that is not compiled, so that the state of the optimizer is not saved.
            keras.Model(model.inputs, model.outputs, name=model.name).save_weights(folder / "net.weights.h5")
            (folder / "net.weights.h5").replace(temporary)
        finally:
            files.remove(folder)


def read_weights(model: keras.Model, weights: Path) -> None:
    """Loads weights from a file into a net.

    Raises:
        UserError: the file is damaged, or contains weights of another net.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Keras selects the format by the file extension.
        copy = Path(shutil.copy2(weights, Path(folder) / "net.weights.h5"))
        try:
            model.load_weights(copy)
        except (ValueError, OSError) as error:
            raise UserError(f"weights do not fit the recipe ({str(error).splitlines()[0]})", weights) from None
