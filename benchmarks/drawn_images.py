"""A competition of drawn images, for benchmarks that need many."""

import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np

REPOSITORY = Path(__file__).parent.parent
IMAGES_OF_A_PART = 250


def make_competition(root: Path, facts: str, recipe: str, num_images: int, draw: Callable[[int], np.ndarray]) -> None:
    """Writes the competition `drawn`, and its images and labels into `images/`; every second image is positive.

    Args:
        root: the project folder.
        facts: text of competition.yaml; the columns of train.csv are id, target and patient.
        recipe: text of baseline.yaml.
        num_images: number of images.
        draw: (number of the image) -> uint8 (height, width); a function of a module.
    """
    shutil.copytree(REPOSITORY / "competition" / "_base", root / "competition" / "_base")
    folder = root / "competition" / "drawn"
    folder.mkdir()
    (folder / "competition.yaml").write_text(facts)
    (folder / "baseline.yaml").write_text(recipe)
    images = root / "images" / "train"
    images.mkdir(parents=True)
    lines = [f"{row:09d},{row % 2},p{row}" for row in range(num_images)]
    (root / "images" / "train.csv").write_text("\n".join(["id,target,patient", *lines]))
    parts = [
        range(start, min(start + IMAGES_OF_A_PART, num_images)) for start in range(0, num_images, IMAGES_OF_A_PART)
    ]
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(_draw_part, images, draw), parts))


def _draw_part(folder: Path, draw: Callable[[int], np.ndarray], rows: range) -> None:
    for row in rows:
        cv2.imwrite(str(folder / f"{row:09d}.png"), draw(row))
