"""Scans of the small phantom."""

import numpy as np

from medfold.competition import PreparationSettings
from medfold.images import scan_images

CHOICES = PreparationSettings(size=16)


def run_scan(small, table, choices=None, with_appearance=False):
    return scan_images(small, table, choices, with_appearance)


def flip(path, row):
    """Flips one bit in a row of an array file."""
    array = np.load(path, mmap_mode="r+")
    array[row, 3, 3] ^= 1
    array.flush()


def damage(small, table, rows):
    for row in rows:
        (small.paths.raw / table["image"].iloc[row]).write_bytes(b"not a picture")
