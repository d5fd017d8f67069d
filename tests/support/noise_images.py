"""Images of noise, and reading the content of a file."""

import numpy as np

from medfold.competition import ImageFacts
from medfold.images import read_image

NOISE = np.random.default_rng(0)
GREY_NOISE = NOISE.integers(0, 256, (23, 37), np.uint8)
COLOUR_NOISE = NOISE.integers(0, 256, (23, 37, 3), np.uint8)
DEEP_NOISE = NOISE.integers(0, 65536, (23, 37), np.uint16)


def read_content(folder, name, content=None, **facts):
    if content is not None:
        (folder / name.partition("#")[0]).write_bytes(content)
    return read_image(folder, name, ImageFacts(train="x", **facts))
