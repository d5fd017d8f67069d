"""Conversion of DICOM palette colour images to RGB (PALETTE COLOR, PS3.3 C.7.6.3.1.5 and C.7.9)."""

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut

from medfold.images.formats.dicom_transforms import read_lut
from medfold.images.formats.failures import ImageError
from medfold.images.formats.pixel_values import all_values, apply_table, scale_to_uint8

COLOURS = ("Red", "Green", "Blue")
DESCRIPTORS = [f"{colour}PaletteColorLookupTableDescriptor" for colour in COLOURS]
TABLES = [f"{colour}PaletteColorLookupTableData" for colour in COLOURS]
SEGMENTED = [f"Segmented{table}" for table in TABLES]


def apply_palette(frame: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Converts a frame of palette indices to RGB.

    Args:
        frame: integers (height, width).
        dataset: the DICOM file with its palette.

    Returns:
        uint8 (height, width, 3).

    Raises:
        ImageError: there is no palette, or its type is not supported.
    """
    if frame.dtype.kind not in "iu" or frame.dtype.itemsize > 2:
        raise ImageError(f"a palette for {frame.dtype.name} pixels")
    indices = all_values(frame.dtype)
    if all(name in dataset for name in (*DESCRIPTORS, *TABLES)):
        luts = [
            read_lut(dataset.get(descriptor), dataset.get(table), dataset)
            for descriptor, table in zip(DESCRIPTORS, TABLES, strict=True)
        ]
        palette = np.stack([lut(indices) for lut in luts], axis=-1)
    elif all(name in dataset for name in (*DESCRIPTORS, *SEGMENTED)):
        num_entries, _, bits = dataset.get(DESCRIPTORS[0])
        if bits == 8 and not 0 < num_entries <= 256:  # pydicom 3.0 takes the number modulo 256
            raise ImageError(f"a segmented palette of {num_entries} entries with 8 bits")
        palette = apply_color_lut(indices, dataset)[:, :3]
    else:
        raise ImageError("it contains no palette")
    # Some files store values of 8 bits in 16 bits without scaling them.
    return apply_table(scale_to_uint8(palette, 0, 65535 if palette.max() > 255 else 255), frame)
