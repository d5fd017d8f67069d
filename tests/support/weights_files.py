"""Small files in the layout of Keras' weights files, and checkpoints, written without Keras."""

from pathlib import Path

import h5py
import numpy as np


def keras_weights(path: Path, group: str = "layers/dense/vars", value: float = 1) -> Path:
    """Writes an HDF5 file with one array in a group that Keras uses."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_group(group)["0"] = np.full(3, value, np.float32)
    return path


def checkpoint(path: Path, value: float = 0) -> Path:
    """Writes a checkpoint of one number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, value=value)
    return path
