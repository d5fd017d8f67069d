"""The preparation steps: functions from pixels to pixels that a recipe can name.

Borders and shapes are looked for on a copy of at most 512 px, since images have tens of megapixels; what is found is
good to a few 512ths of the image.
"""

import math
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from medfold.images.preparation import preparation_step

SEARCHED = 512  # pixels, the longest side of the copy that is searched


MARGIN = 0.01  # of the longer side of what is found, left around it


@preparation_step
def crop_foreground(pixels: np.ndarray) -> np.ndarray:
    """Crops an even border, dark or light; a margin of 1 % stays around what stands out of it in any channel.

    The border is as light as the median of the outermost hundredth of the image; specks in it are not kept. An image
    whose outermost pixels are uneven, or all like the rest, comes back whole.
    """
    small, scale = _reduced(pixels)
    ring = np.ones(small.shape[:2], bool)
    edge = max(1, round(0.01 * min(ring.shape)))
    ring[edge:-edge, edge:-edge] = False
    level = np.median(small[ring], axis=0).astype(np.uint8)
    distance = (np.maximum(small, level) - np.minimum(small, level)).max(axis=2)
    mask = (_smoothed(distance, 0) > 10).astype(np.uint8)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(mask)
    if count == 1:
        return pixels
    areas = facts[:, cv2.CC_STAT_AREA]
    large = areas >= 0.001 * areas[1:].max()
    large[0] = False  # the border
    left, top, width, height = (scale * value for value in cv2.boundingRect(large[labels].astype(np.uint8)))
    margin = scale - 1 + max(1, round(MARGIN * max(width, height)))
    return pixels[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin]


@preparation_step
def circle_crop(pixels: np.ndarray) -> np.ndarray:
    """Fundus photographs: crops to the square around the bright disc, with black outside the disc.

    Where the photograph cuts the disc off the square is filled with black, so that all discs have one size and shape.
    An image without a disc comes back as it is.
    """
    disc = _disc(pixels)
    if disc is None:
        return pixels
    x, y, radius = disc
    half = math.ceil(radius)
    left, top, side = round(x) - half, round(y) - half, 2 * half + 1
    height, width, channels = pixels.shape
    here = slice(max(0, top), min(height, top + side)), slice(max(0, left), min(width, left + side))
    there = slice(here[0].start - top, here[0].stop - top), slice(here[1].start - left, here[1].stop - left)
    result = np.zeros((side, side, channels), np.uint8)
    result[there] = _masked(pixels[here], _filled_circle((side, side), half, half, radius)[there])
    return result


@preparation_step
def breast_crop(pixels: np.ndarray) -> np.ndarray:
    """Mammograms, bright on dark: crops to the breast with a margin, without labels and markers beside it.

    The breast is the largest bright piece above a low threshold. What lies outside its convex hull, widened by the
    margin, is set to black: labels can stand in the corners of its box, and a hull, unlike the piece itself, loses no
    tissue that is dim. An image without such a piece, or filled by it, comes back as it is.
    """
    light, level, scale = _grey(pixels)
    split, _ = cv2.threshold(light, 0, 255, cv2.THRESH_OTSU)
    # Otsu's threshold lies far up the tissue's rise from the ground; skin and fat are below it. The ground may hold
    # steps of its own, then it takes more to part the breast from it.
    for share in (0.2, 0.5, 1.0):
        mask = (light > level + max(3, share * (split - level))).astype(np.uint8)
        # Opening parts from the breast what hangs on it by a line.
        piece, area = _largest(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)))
        if 0.02 * mask.size <= area <= 0.9 * mask.size:
            break
    else:
        return pixels
    hull = scale * cv2.convexHull(piece)
    left, top, width, height = cv2.boundingRect(hull)
    margin = scale + math.ceil(2 * MARGIN * max(width, height))
    inside = cv2.fillConvexPoly(np.zeros(pixels.shape[:2], np.uint8), hull, 1)
    cv2.polylines(inside, [hull], True, 1, thickness=2 * margin)
    box = slice(max(0, top - margin), top + height + margin), slice(max(0, left - margin), left + width + margin)
    return _masked(pixels[box], inside[box])


@preparation_step
def clahe(
    pixels: np.ndarray,
    clip: Annotated[
        float, Field(gt=0, le=256, description="How much contrast is let through; about 1 changes nothing.")
    ] = 2.0,
    tiles: Annotated[int, Field(ge=1, le=64, description="Parts in a row and in a column.")] = 8,
) -> np.ndarray:
    """Evens out the contrast by parts of the image (Zuiderveld 1994): of each channel, of colour images the lightness.

    Args:
        clip, tiles: as their annotations say.
    """
    equalise = cv2.createCLAHE(clip, (tiles, tiles)).apply
    if pixels.shape[2] == 3:
        lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
        lab[..., 0] = equalise(lab[..., 0])
        return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.stack([equalise(pixels[..., channel]) for channel in range(pixels.shape[2])], axis=2)


def _reduced(pixels: np.ndarray) -> tuple[np.ndarray, int]:
    """The copy that is searched, and every how manieth pixel it has: picking is faster than averaging."""
    scale = math.ceil(max(pixels.shape[:2]) / SEARCHED)
    return np.ascontiguousarray(pixels[::scale, ::scale]), scale


def _masked(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return cv2.bitwise_and(pixels, pixels, mask=mask).reshape(pixels.shape)


def _smoothed(light: np.ndarray, ground: float) -> np.ndarray:
    """A grey image without noise, specks and thin lines, as if it stood on its ground: lines at its edge go, too."""
    padded = cv2.copyMakeBorder(light, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=ground)
    return cv2.medianBlur(padded, 5)[2:-2, 2:-2]


def _grey(pixels: np.ndarray) -> tuple[np.ndarray, float, int]:
    """The copy that is searched, grey and smoothed; how light its dark ground is; every how manieth pixel it has.

    The ground is that of the darkest corner: a label may stand in the others.
    """
    small, scale = _reduced(pixels)
    light = small.max(axis=2)
    side = max(2, round(0.04 * min(light.shape)))
    corners = [corner for rows in (light[:side], light[-side:]) for corner in (rows[:, :side], rows[:, -side:])]
    level = min(float(np.median(corner)) for corner in corners)
    return _smoothed(light, level), level, scale


def _largest(mask: np.ndarray) -> tuple[np.ndarray | None, float]:
    """The outline of the largest piece of a mask, int (points, 1, 2) as x and y, and its area, holes filled."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea, default=None)
    return outline, 0.0 if outline is None else cv2.contourArea(outline)


def _disc(pixels: np.ndarray) -> tuple[float, float, float] | None:
    """Centre (x, y) and radius of a bright disc on dark ground, in pixels, or None if there is none.

    How dark the edge of the disc is differs with the exposure, and a glow may surround it: thresholds are tried from
    low to high, until what is above one is a disc.
    """
    light, level, scale = _grey(pixels)
    bright = float(np.quantile(light, 0.95))
    for share in (0.08, 0.16, 0.3):
        above = max(2, share * (bright - level))
        if circle := _circle((light > level + above).astype(np.uint8)):
            x, y, radius = circle
            return scale * x, scale * y, scale * (radius + 0.5)
    return None


def _circle(mask: np.ndarray) -> tuple[float, float, float] | None:
    """The circle that the largest piece of a mask fills, but for what the image cuts off; None if it fills none.

    Of 300 circles through three points of the outline, the one that runs along most of it is fitted to the points
    beside it (RANSAC, Fischler and Bolles 1981): notches and shadows at the edge of the disc do not move it.
    """
    outline, area = _largest(mask)
    if area < 0.05 * mask.size:
        return None
    corner = np.array(mask.shape[::-1]) - 1
    # Where the image cuts the disc off, the outline of the piece is not that of the disc.
    points = outline[((outline > 0) & (outline < corner)).all(axis=(1, 2)), 0] @ np.array([1, 1j])
    if len(points) < 12:
        return None
    points = points[:: math.ceil(len(points) / 400)]
    first, second, third = points[np.random.default_rng(0).integers(0, len(points), (3, 300))]
    with np.errstate(divide="ignore", invalid="ignore"):  # points that are the same or on a line
        ratio = (third - first) / (second - first)
        centres = first - (first - second) * (ratio - np.abs(ratio) ** 2) / (2j * ratio.imag)
        radii = np.abs(first - centres)
        near = _beside(points, centres[:, None], radii[:, None])
    near = near[radii < 0.75 * max(mask.shape)]  # with larger ones it would run beside much that is straight
    if not near.any():
        return None
    best = points[near[near.sum(axis=1).argmax()]]
    # Least squares of x^2 + y^2 = 2 x x0 + 2 y y0 + c (Kasa 1976).
    terms = np.stack([2 * best.real, 2 * best.imag, np.ones(len(best))], axis=1)
    (x0, y0, c), *_ = np.linalg.lstsq(terms, np.abs(best) ** 2)
    radius = math.sqrt(max(0.0, c + x0**2 + y0**2))
    beside = _beside(points, x0 + 1j * y0, radius)
    if beside.sum() < 0.4 * len(points):
        return None
    angles = np.sort(np.angle(points[beside] - (x0 + 1j * y0)))
    if np.diff(np.append(angles, angles[0] + 2 * np.pi)).max() > np.pi:  # less than half a circle is no evidence
        return None
    piece = cv2.drawContours(np.zeros_like(mask), [outline], -1, 1, -1)
    disc = _filled_circle(mask.shape, x0, y0, radius + max(1.5, 0.015 * radius))
    inside = np.count_nonzero(piece & disc) > 0.95 * np.count_nonzero(piece)
    return (float(x0), float(y0), radius) if inside else None


def _filled_circle(shape: tuple[int, ...], x: float, y: float, radius: float) -> np.ndarray:
    sixteenths = (round(16 * x), round(16 * y)), round(16 * radius)
    return cv2.circle(np.zeros(shape, np.uint8), *sixteenths, 1, -1, shift=4)


def _beside(points: np.ndarray, centre: np.ndarray | complex, radius: np.ndarray | float) -> np.ndarray:
    return np.abs(np.abs(points - centre) - radius) <= np.maximum(1.5, 0.015 * radius)
