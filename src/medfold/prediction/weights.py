"""Weights files: written atomically, and loaded into a net that is rebuilt from its recipe."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import keras

from medfold.competition import CompetitionFacts, Recipe
from medfold.errors import UserError
from medfold.models import WEIGHTS_ERRORS, build_net, describe_weights_error
from medfold.system import files

KERAS_ENDING = ".weights.h5"  # by which Keras selects the format


def load_net(facts: CompetitionFacts, recipe: Recipe, weights_file: Path) -> keras.Model:
    """Loads the trained net of a fold: rebuilds it from its recipe, and reads its weights.

    Args:
        facts: facts of the competition (channels, task, number of outputs).
        recipe: the recipe of the run.
        weights_file: path of the weights file.

    Raises:
        UserError: the file is damaged, or contains weights of another net.
    """
    net = build_net(facts, recipe, pretrained=False)
    read_weights(net, weights_file)
    return net


def save_weights(net: keras.Model, weights_file: Path) -> None:
    """Writes the weights of a net atomically."""
    uncompiled = keras.Model(net.inputs, net.outputs, name=net.name)  # so the state of the optimizer is not saved
    content = _hdf5_in_memory(lambda: uncompiled.save_weights(f"net{KERAS_ENDING}"))
    with files.atomic_write(weights_file) as temporary:
        temporary.write_bytes(content)


def _hdf5_in_memory(save: Callable[[], None]) -> bytes:
    """Returns the HDF5 file that a function writes; the disk is not touched.

    HDF5 that meets a full disk crashes the process, at the latest when it ends.
    """
    content = []

    class InMemory(h5py.File):
        def __init__(self, name: str | Path, mode: str = "r", **options: Any):
            super().__init__(name, mode, driver="core", backing_store=False, **options)

        def close(self) -> None:
            if self.id.valid:
                self.flush()
                content.append(self.id.get_file_image())
            super().close()

    with mock.patch.object(h5py, "File", InMemory):
        save()
    (image,) = content
    return image


def read_weights(net: keras.Model, weights_file: Path) -> None:
    """Loads weights from a file into a net.

    Args:
        net: built from the same recipe; its weights are replaced.
        weights_file: path of the file. Its name may lack the ending that Keras expects: in bundles, and in folds of
            earlier versions.

    Raises:
        UserError: the file is damaged, or contains weights of another net.
    """
    with _with_ending_of_keras(weights_file) as named:
        try:
            net.load_weights(named)
        except (*WEIGHTS_ERRORS, ValueError) as error:
            what = f"weights do not fit the recipe ({describe_weights_error(error)})"
            fix = "Restore it from a backup; or remove the folder of the fold, and train the run again"
            raise UserError(what, weights_file, fix) from None


@contextmanager
def _with_ending_of_keras(weights_file: Path) -> Iterator[Path]:
    """Yields a path with the ending that Keras expects: of the file itself, or of a temporary link or copy."""
    if weights_file.name.endswith(KERAS_ENDING):
        yield weights_file
        return
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / f"net{KERAS_ENDING}"
        try:
            named.symlink_to(weights_file.absolute())
        except OSError:  # Windows needs a right for that
            shutil.copy2(weights_file, named)
        yield named
