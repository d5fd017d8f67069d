"""Colours of DICOM palettes."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.support.dicom_files import (
    dataset,
    read_dataset,
    smooth,
)


def with_palette(made: Dataset, colours: np.ndarray, bits: int, first: int = 0) -> Dataset:
    made.PhotometricInterpretation = "PALETTE COLOR"
    for number, name in enumerate(("Red", "Green", "Blue")):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [len(colours) % 2**16, first, bits])
        setattr(made, f"{name}PaletteColorLookupTableData", colours[:, number].tobytes())
    return made


@pytest.mark.parametrize("kind", ["8 bits", "16 bits", "8 in 16 bits", "many", "offset"])
def test_palettes_are_applied(tmp_path, kind):
    colours = np.random.default_rng(3).integers(0, 256, (1000, 3), dtype=np.uint8)
    pixels = smooth(bits=8)
    if kind == "8 bits":
        made, expected = with_palette(dataset(pixels), colours[:256], 8), colours[pixels]
    elif kind == "16 bits":
        made, expected = with_palette(dataset(pixels), colours[:256].astype("<u2") * 257, 16), colours[pixels]
    elif kind == "8 in 16 bits":
        made, expected = with_palette(dataset(pixels), colours[:256].astype("<u2"), 16), colours[pixels]
    elif kind == "many":  # more than 256 colours of eight bits, which pydicom 3.0 counts modulo 256
        pixels = smooth(bits=12) % 1000
        made, expected = with_palette(dataset(pixels, 12), colours, 8), colours[pixels]
    else:
        made = with_palette(dataset(pixels), colours[:100], 8, first=50)
        expected = colours[np.clip(pixels.astype(int) - 50, 0, 99)]
    assert (read_dataset(made, tmp_path, 3) == expected).all()


def test_segmented_palette_is_applied(tmp_path):
    made = dataset(np.arange(256, dtype=np.uint8).reshape(16, 16), PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        segments = np.array([0, 1, 0, 1, 255, 65535], "<u2")  # one entry of 0, then a line of 255 up to 65535
        setattr(made, f"Segmented{name}PaletteColorLookupTableData", segments.tobytes())
    assert (read_dataset(made, tmp_path, 3)[..., 1].ravel() == np.arange(256)).all()
