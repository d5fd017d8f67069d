"""Weights files: written whole, read into a net that is rebuilt from its recipe."""

import shutil
import tempfile
from pathlib import Path

import keras

from medfold import files
from medfold.competition import Competition, Recipe
from medfold.errors import UserError
from medfold.models import build_model


def load_model(competition: Competition, recipe: Recipe, weights: Path) -> keras.Model:
    """The trained net of a fold: rebuilt from its recipe, weights read from its file.

    Raises:
        UserError: a damaged file, or weights of another net.
    """
    model = build_model(competition, recipe, pretrained=False)
    read_weights(model, weights)
    return model


def save_weights(model: keras.Model, weights: Path) -> None:
    """Writes the weights of a net, whole."""
    with files.atomic_write(weights) as temporary:
        # Keras tells its formats apart by the end of the name.
        folder = temporary.with_suffix(".folder.tmp")
        folder.mkdir()
        try:
            # A net that is compiled would save its optimizer, too.
            keras.Model(model.inputs, model.outputs, name=model.name).save_weights(folder / "net.weights.h5")
            (folder / "net.weights.h5").replace(temporary)
        finally:
            files.remove(folder)


def read_weights(model: keras.Model, weights: Path) -> None:
    """Gives a net the weights of a file.

    Raises:
        UserError: a damaged file, or weights of another net.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Keras tells its formats apart by the end of the name.
        named = Path(shutil.copy2(weights, Path(folder) / "net.weights.h5"))
        try:
            model.load_weights(named)
        except (ValueError, OSError) as error:
            raise UserError(f"weights do not fit the recipe ({str(error).splitlines()[0]})", weights) from None
