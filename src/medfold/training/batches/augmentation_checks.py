"""Checks that an albumentations transform keeps left and right, top and bottom, as far as the symmetry requires it."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from medfold.competition import Symmetry
from medfold.errors import SettingError

if TYPE_CHECKING:
    from albumentations import BasicTransform

NUM_PROBES = 48  # seeds per transform
MAX_ROTATION = 46  # degrees by which a transform may rotate an image, unless the symmetry is dihedral
MIN_PROBE_SIZE = 48  # pixels, side of the probe images
MIN_CONTRAST = 40  # grey levels by which a mark must differ from its surroundings to be found


def check_keeps_sides(
    transform: "BasicTransform", symmetry: Symmetry, shape: tuple[int, int, int], pipeline: str | None = None
) -> None:
    """Checks on marked images that a transform does not mirror or rotate them more than the symmetry allows.

    The check does not depend on name or arguments: what is on the left must stay there (or be mirrored, if the symmetry
    is horizontal), and what is on top must stay on top.

    Args:
        transform: a single transform; its random state is changed.
        symmetry: none or horizontal.
        shape: height, width and channels of the images.
        pipeline: name of the pipeline that the transform is of. Defaults to none: it is written in the recipe.

    Raises:
        UserError: the transform is not within the symmetry.
    """
    name = type(transform).__name__
    for seed in range(NUM_PROBES):
        axes = _transformed_axes(transform, shape, seed)
        if axes is None:
            continue
        right_axis, down_axis = axes
        if symmetry == "horizontal":
            right_axis = np.abs(right_axis * (1, 0)) + right_axis * (0, 1)
        if _angle(right_axis, (1, 0)) <= MAX_ROTATION and _angle(down_axis, (0, 1)) <= MAX_ROTATION:
            continue
        if pipeline:
            name, fix = (
                f"pipeline {pipeline}",
                "Use augment: light, or set images.symmetry: dihedral if images may be turned",
            )
        else:
            fix = "Limit its angles and scales, remove it, or change images.symmetry if the images really look the same"
        what = f"{name} mirrors images, or rotates them by more than {MAX_ROTATION} degrees"
        raise SettingError(f"{what}, which is not within images.symmetry: {symmetry}", "augment", fix)


def _transformed_axes(
    transform: "BasicTransform", shape: tuple[int, int, int], seed: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns the directions right and down after a transform, as (x, y); None if it loses one of the marks.

    A mark is located by the difference from the same image without it: holes, noise and borders are the same in both.
    """
    side = MIN_PROBE_SIZE if min(shape[:2]) < MIN_PROBE_SIZE else None
    height, width = (side, side) if side else shape[:2]
    centres = []
    plain = np.full((height, width, shape[2]), 64, np.uint8)
    unmarked = _transformed_grey(transform, plain, seed)
    for x, y in ((0.25, 0.5), (0.75, 0.5), (0.5, 0.25), (0.5, 0.75)):
        marked = plain.copy()
        radius = max(2, min(height, width) // 12)
        row, column = round(y * height), round(x * width)
        marked[row - radius : row + radius, column - radius : column + radius] = 255
        result = _transformed_grey(transform, marked, seed)
        if unmarked is None or result is None or (difference := np.abs(result - unmarked)).max() < MIN_CONTRAST:
            return None
        rows, columns = np.nonzero(difference > 0.6 * difference.max())
        centres.append(np.array([columns.mean() / width, rows.mean() / height]))
    left, right, top, bottom = centres
    return right - left, bottom - top


def _transformed_grey(transform: "BasicTransform", pixels: np.ndarray, seed: int) -> np.ndarray | None:
    """Applies a transform with a seed and returns float64 (height, width); None if the transform fails."""
    transform.set_random_seed(seed)
    try:
        return transform(image=pixels)["image"].astype(np.float64).reshape(*pixels.shape[:2], -1).mean(axis=2)
    except (ValueError, TypeError, RuntimeError, cv2.error):
        return None


def _angle(direction: np.ndarray, expected: tuple[int, int]) -> float:
    """Returns the angle between two directions, in degrees."""
    cosine = direction @ np.array(expected) / max(float(np.linalg.norm(direction)), 1e-9)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
