"""Built-in preparation steps: functions from pixels to pixels that a recipe can name.

Borders and shapes are detected on a copy of at most 512 px, since images can have tens of megapixels. The result is
accurate to a few 512ths of the image.
"""

import math
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from medfold.images.preparation import preparation_step

DETECTION_SIZE = 512  # px, longest side of the copy on which borders and shapes are detected
MARGIN = 0.01  # margin around a detected region, as a share of its longer side


@preparation_step
def crop_foreground(pixels: np.ndarray) -> np.ndarray:
    """Crops an even border, dark or light, with a margin of 1 % around the pixels that differ from it in any channel.

    The brightness of the border is the median of the outermost 1 % of the image. Specks in the border are cropped, too.
    An image whose outermost pixels are uneven, or that is even throughout, is returned unchanged.
    """
    small, scale = _reduced(pixels)
    ring = np.ones(small.shape[:2], bool)
    edge = max(1, round(0.01 * min(ring.shape)))
    ring[edge:-edge, edge:-edge] = False
    border = np.median(small[ring], axis=0).astype(np.uint8)
    distance = (np.maximum(small, border) - np.minimum(small, border)).max(axis=2)
    mask = (_smoothed(distance, 0) > 10).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask)
    if count == 1:
        return pixels
    areas = statistics[:, cv2.CC_STAT_AREA]
    large = areas >= 0.001 * areas[1:].max()
    large[0] = False  # the border
    left, top, width, height = (scale * value for value in cv2.boundingRect(large[labels].astype(np.uint8)))
    margin = scale - 1 + max(1, round(MARGIN * max(width, height)))
    return pixels[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin]


@preparation_step
def circle_crop(pixels: np.ndarray) -> np.ndarray:
    """Fundus photographs: crops to the square around the bright disc, with black outside the disc.

    Where the photograph cuts the disc off, the square is filled with black, so that all discs have one size and shape.
    An image without a disc is returned unchanged.
    """
    disc = find_disc(pixels)
    if disc is None:
        return pixels
    x, y, radius = disc
    half = math.ceil(radius)
    left, top, side = round(x) - half, round(y) - half, 2 * half + 1
    height, width, channels = pixels.shape
    source = slice(max(0, top), min(height, top + side)), slice(max(0, left), min(width, left + side))
    target = slice(source[0].start - top, source[0].stop - top), slice(source[1].start - left, source[1].stop - left)
    result = np.zeros((side, side, channels), np.uint8)
    result[target] = _masked(pixels[source], _filled_circle((side, side), half, half, radius)[target])
    return result


@preparation_step
def breast_crop(pixels: np.ndarray) -> np.ndarray:
    """Mammograms, bright on dark: crops to the breast with a margin, without labels and markers beside it.

    The breast is the largest bright region above a low threshold. Pixels outside its convex hull, widened by the
    margin, are set to black, since the corners of its bounding box can contain labels. The hull, unlike the region
    itself, includes dim tissue. An image without a breast region, or filled by it, is returned unchanged.
    """
    grey, background, scale = _grey(pixels)
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    # Otsu's threshold lies far above the edge of the tissue; skin and fat are below it. If the background has
    # brightness steps, too, a higher share is needed to separate the breast from it.
    for share in (0.2, 0.5, 1.0):
        mask = (grey > background + max(3, share * (threshold - background))).astype(np.uint8)
        # Opening separates the breast from objects that a thin line connects to it.
        outline, area = _largest(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)))
        if 0.02 * mask.size <= area <= 0.9 * mask.size:
            break
    else:
        return pixels
    hull = scale * cv2.convexHull(outline)
    left, top, width, height = cv2.boundingRect(hull)
    margin = scale + math.ceil(2 * MARGIN * max(width, height))
    hull_mask = cv2.fillConvexPoly(np.zeros(pixels.shape[:2], np.uint8), hull, 1)
    cv2.polylines(hull_mask, [hull], True, 1, thickness=2 * margin)
    box = slice(max(0, top - margin), top + height + margin), slice(max(0, left - margin), left + width + margin)
    return _masked(pixels[box], hull_mask[box])


@preparation_step
def clahe(
    pixels: np.ndarray,
    clip: Annotated[
        float, Field(gt=0, le=256, description="Limit of the contrast gain; about 1 changes nothing.")
    ] = 2.0,
    tiles: Annotated[int, Field(ge=1, le=64, description="Number of tiles per row and per column.")] = 8,
) -> np.ndarray:
    """Equalises contrast per tile (CLAHE, Zuiderveld 1994): each channel, or the lightness of colour images.

    Args:
        pixels: uint8 (height, width, channels).
        clip: limit of the contrast gain; about 1 changes nothing. Defaults to 2.
        tiles: number of tiles per row and per column. Defaults to 8.
    """
    equalise = cv2.createCLAHE(clip, (tiles, tiles)).apply
    if pixels.shape[2] == 3:
        lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
        lab[..., 0] = equalise(lab[..., 0])
        return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.stack([equalise(pixels[..., channel]) for channel in range(pixels.shape[2])], axis=2)


def _reduced(pixels: np.ndarray) -> tuple[np.ndarray, int]:
    """Returns a subsampled copy for detection, and its step in pixels. Subsampling is faster than averaging."""
    scale = math.ceil(max(pixels.shape[:2]) / DETECTION_SIZE)
    return np.ascontiguousarray(pixels[::scale, ::scale]), scale


def _masked(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return cv2.bitwise_and(pixels, pixels, mask=mask).reshape(pixels.shape)


def _smoothed(grey: np.ndarray, background: float) -> np.ndarray:
    """Removes noise, specks and thin lines. Padding with the background removes lines at the edges, too."""
    padded = cv2.copyMakeBorder(grey, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=background)
    return cv2.medianBlur(padded, 5)[2:-2, 2:-2]


def _grey(pixels: np.ndarray) -> tuple[np.ndarray, float, int]:
    """Returns a smoothed grey copy for detection, the brightness of its background, and its step in pixels.

    The background is measured in the darkest corner, since the others may contain a label.
    """
    small, scale = _reduced(pixels)
    grey = small.max(axis=2)
    side = max(2, round(0.04 * min(grey.shape)))
    corners = [corner for rows in (grey[:side], grey[-side:]) for corner in (rows[:, :side], rows[:, -side:])]
    background = min(float(np.median(corner)) for corner in corners)
    return _smoothed(grey, background), background, scale


def _largest(mask: np.ndarray) -> tuple[np.ndarray | None, float]:
    """Returns the largest region of a mask: its outline, int (points, 1, 2) as x and y, and its area with holes."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea, default=None)
    return outline, 0.0 if outline is None else cv2.contourArea(outline)


def find_disc(pixels: np.ndarray) -> tuple[float, float, float] | None:
    """Returns centre (x, y) and radius, in pixels, of a bright disc on a dark background; None if there is none.

    The brightness of the disc's edge depends on the exposure, and a glow may surround it. So thresholds are tried from
    low to high until the pixels above one form a disc.
    """
    grey, background, scale = _grey(pixels)
    bright = float(np.quantile(grey, 0.95))
    for share in (0.08, 0.16, 0.3):
        above = max(2, share * (bright - background))
        if circle := _circle((grey > background + above).astype(np.uint8)):
            x, y, radius = circle
            return scale * x, scale * y, scale * (radius + 0.5)
    return None


def _circle(mask: np.ndarray) -> tuple[float, float, float] | None:
    """Returns the circle (x, y, radius) that the largest region of a mask fills; None if it is not a disc.

    The image may cut off a part of the circle. Of 300 circles through three points of the outline, the one with most
    outline points near it is fitted to these points (RANSAC, Fischler and Bolles 1981), so that notches and shadows at
    the edge of the disc do not shift it.
    """
    outline, area = _largest(mask)
    if area < 0.05 * mask.size:
        return None
    corner = np.array(mask.shape[::-1]) - 1
    # At the borders of the image, the outline of the region is not that of the disc.
    points = outline[((outline > 0) & (outline < corner)).all(axis=(1, 2)), 0] @ np.array([1, 1j])
    if len(points) < 12:
        return None
    points = points[:: math.ceil(len(points) / 400)]
    first, second, third = points[np.random.default_rng(0).integers(0, len(points), (3, 300))]
    with np.errstate(divide="ignore", invalid="ignore"):  # coinciding or collinear points
        ratio = (third - first) / (second - first)
        centres = first - (first - second) * (ratio - np.abs(ratio) ** 2) / (2j * ratio.imag)
        radii = np.abs(first - centres)
        near = _near_circle(points, centres[:, None], radii[:, None])
    near = near[radii < 0.75 * max(mask.shape)]  # larger circles also fit straight outlines
    if not near.any():
        return None
    inliers = points[near[near.sum(axis=1).argmax()]]
    # Least squares of x^2 + y^2 = 2 x x0 + 2 y y0 + c (Kasa 1976).
    terms = np.stack([2 * inliers.real, 2 * inliers.imag, np.ones(len(inliers))], axis=1)
    (x0, y0, c), *_ = np.linalg.lstsq(terms, np.abs(inliers) ** 2)
    radius = math.sqrt(max(0.0, c + x0**2 + y0**2))
    on_circle = _near_circle(points, x0 + 1j * y0, radius)
    if on_circle.sum() < 0.4 * len(points):
        return None
    angles = np.sort(np.angle(points[on_circle] - (x0 + 1j * y0)))
    # Less than half a circle is not enough evidence.
    if np.diff(np.append(angles, angles[0] + 2 * np.pi)).max() > np.pi:
        return None
    region = cv2.drawContours(np.zeros_like(mask), [outline], -1, 1, -1)
    disc = _filled_circle(mask.shape, x0, y0, radius + max(1.5, 0.015 * radius))
    inside = np.count_nonzero(region & disc) > 0.95 * np.count_nonzero(region)
    return (float(x0), float(y0), radius) if inside else None


def _filled_circle(shape: tuple[int, ...], x: float, y: float, radius: float) -> np.ndarray:
    sixteenths = (round(16 * x), round(16 * y)), round(16 * radius)
    return cv2.circle(np.zeros(shape, np.uint8), *sixteenths, 1, -1, shift=4)


def _near_circle(points: np.ndarray, centre: np.ndarray | complex, radius: np.ndarray | float) -> np.ndarray:
    return np.abs(np.abs(points - centre) - radius) <= np.maximum(1.5, 0.015 * radius)
