"""An HDF5 file of images in several forms."""

from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from tests.support.image_files import COLOUR, DEEP, GREY


@pytest.fixture
def hdf5(tmp_path) -> Path:
    """An HDF5 file with encoded images, pixel arrays and stacks."""
    path = tmp_path / "a.hdf5"
    encoded = {kind: cv2.imencode(kind, COLOUR[..., ::-1])[1].tobytes() for kind in (".png", ".jpg")}
    with h5py.File(path, "w") as file:
        file["ISIC_0015670"] = np.void(encoded[".png"])
        file["text"] = np.bytes_(encoded[".png"])
        file["vector"] = np.frombuffer(encoded[".png"], np.uint8)
        file["jpeg"] = np.void(encoded[".jpg"])
        file["pixels"] = COLOUR
        file["deep"] = DEEP
        file.create_dataset("stack", data=np.stack([GREY, 255 - GREY]), chunks=(1, 30, 41), compression="gzip")
        file["group/stack"] = np.stack([COLOUR, 255 - COLOUR])
        vectors = file.create_dataset("vectors", 2, h5py.vlen_dtype(np.uint8))
        vectors[1] = np.frombuffer(encoded[".png"], np.uint8)
    return path
