"""Near-duplicates: images that show the same picture with different pixels.

A copy may be scaled, cropped by a few percent, rotated by a few degrees, brightened or compressed again.

Near-duplicates are found from the perceptual hash and the thumbnail (4 kB) of each image, which `hash_and_thumbnail`
computes, so that no image is decoded twice. There are three filters, each more precise and slower than the one before:

1. the perceptual hash: the hashes of two copies differ in few bits;
2. the coarse content: medical images are similar, so what they have in common is removed before they are compared;
3. the fine structure, after one thumbnail was registered to the other.

Images should have at least about 100 pixels a side. Two images of the same kind differ in details that a smaller image
does not show, and copies of a small image that were scaled or compressed are missed.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
import pandas as pd

from medfold.images import THUMBNAIL_SIZE

# The limits were chosen on chest radiographs, real and synthetic; benchmarks/near_duplicates.py measures the recall.
MAX_HASH_DISTANCE = 12  # bits of 64; a crop of 3 % changes 6 in the median, and more than 12 once in a hundred times
NUM_FREQUENCIES = 14  # frequencies of the cosine transform, in both directions: the coarse content
MIN_COSINE = 0.48  # between the coarse contents of two copies
MIN_EDGE_CORRELATION = 0.6  # between the edges of two copies, shifted by whole pixels
MIN_WHITENING = 100  # images needed to estimate what all have in common; with fewer the second filter is skipped
MAX_WHITENING = 20_000  # images that whitening is fitted on
WHITENING_FLOOR = 0.01  # added to variances, which keeps noise of small variance from being amplified
BLOCK_IMAGES = 1024  # thumbnails that are transformed at once
MIN_SIMILARITY = 0.935  # least correlation between the fine structures of two copies
MIN_STD = 1.0  # standard deviation in grey levels; an image below it is blank and has nothing to compare
MARGIN = 3  # pixels at the border that the other thumbnail may lack


@dataclass(frozen=True)
class NearDuplicates:
    """Near-duplicate images.

    Args:
        pairs: ids of both images, the most similar pair first; pairs with identical pixels are left out.
        components: component number by id. Images connected by pairs, identical pixels included, share a component.
    """

    pairs: list[tuple[str, str]]
    components: pd.Series

    def component_of(self, ids: pd.Series) -> np.ndarray:
        """Returns the component number of each image."""
        return self.components.loc[ids].to_numpy()


@dataclass(frozen=True)
class NearDuplicateForest:
    """Near-duplicates as a spanning forest: the fewest pairs that connect each component.

    If a, b and c are copies, only two of the three pairs are listed; k copies of an image make k - 1 pairs.

    Args:
        pairs: int64 (m, 2), row numbers i < j, sorted.
        similarity: float64 (m,), from `MIN_SIMILARITY` to 1.
    """

    pairs: np.ndarray
    similarity: np.ndarray


def close_hash_pairs(hashes: np.ndarray, radius: int) -> Iterator[tuple[int, np.ndarray]]:
    """Finds all pairs of hashes that differ in few bits, exactly.

    Yields a row and its partners, one row after the other, since n equal hashes make n^2/2 pairs. Every pair is
    compared. Multi-index hashing (Norouzi, Punjani, Fleet 2012) compares only pairs that agree in one of radius + 1
    bands of bits, which is faster for small radii only: at radius 12 the bands have 5 bits, and half of all random
    pairs, nine in ten of radiographs, agree in one.

    Args:
        hashes: perceptual hashes, uint64 (n,).
        radius: the number of bits that may differ.

    Yields:
        A row number, and int64 (m,), the later rows that are close to it, in ascending order.
    """
    for row, hash_bits in enumerate(hashes):
        later = hashes[row + 1 :]
        yield row, np.flatnonzero(np.bitwise_count(later ^ hash_bits) <= radius) + row + 1


def find_near_duplicates(hashes: np.ndarray, thumbnails: np.ndarray) -> NearDuplicateForest:
    """Finds the near-duplicates among images.

    The order of the images does not matter. Blank images have no near-duplicates.

    Args:
        hashes: perceptual hashes of `hash_and_thumbnail`, uint64 (n,).
        thumbnails: uint8 (n, THUMBNAIL_SIZE, THUMBNAIL_SIZE), of `hash_and_thumbnail`; may be memory-mapped.

    Returns:
        Pairs of rows that are near-duplicates, with their similarity, without cycles.
    """
    from scipy.cluster.hierarchy import DisjointSet

    varied = np.flatnonzero([thumbnail.std() >= MIN_STD for thumbnail in thumbnails])
    # Identical thumbnails are paired at once. The others are sorted by digest, so that the order of the images does
    # not matter.
    digests = [hashlib.blake2b(thumbnails[row].tobytes(), digest_size=16).digest() for row in varied]
    _, first, inverse = np.unique(np.array(digests, "V16"), return_index=True, return_inverse=True)
    rows = varied[first]
    original = varied[first[inverse]]
    is_copy = varied != original
    pairs = [(i, j, 1.0) for i, j in zip(original[is_copy], varied[is_copy], strict=True)]

    structure = lru_cache(maxsize=256)(lambda row: FineStructure(thumbnails[row]))
    merged = DisjointSet(range(len(rows)))
    for a, b in _candidates(hashes[rows], _directions(hashes, thumbnails, rows)):
        if not merged.connected(a, b):
            similarity = _similarity(structure(rows[a]), structure(rows[b]))
            if similarity >= MIN_SIMILARITY:
                merged.merge(a, b)
                pairs.append((*sorted((rows[a], rows[b])), similarity))
    pairs.sort()
    table = np.array(pairs, np.float64).reshape(-1, 3)
    return NearDuplicateForest(table[:, :2].astype(np.int64), table[:, 2])


def _directions(hashes: np.ndarray, thumbnails: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """Returns the coarse content of each image, without what all images have in common, as a direction.

    The low frequencies are standardised and decorrelated (whitened, with the covariance of Ledoit and Wolf 2004), so
    that the directions of two different patients are nearly orthogonal, however similar their images look.

    Returns:
        float32 (rows, dimensions), nearly of unit length; None for fewer than `MIN_WHITENING` different images.
    """
    from scipy.fft import dct
    from sklearn.covariance import ledoit_wolf

    # The statistics are fitted on one image per hash; otherwise many copies of one image would distort them. The rows
    # are sorted by digest, so the first ones are a random sample.
    fit_rows = np.sort(np.unique(hashes[rows], return_index=True)[1])[:MAX_WHITENING]
    if len(fit_rows) < MIN_WHITENING:
        return None
    # At least four images per dimension: with fewer, whitening would separate any two images.
    cosines = dct(np.eye(THUMBNAIL_SIZE, dtype=np.float32), axis=0)[
        : min(NUM_FREQUENCIES, math.isqrt(len(fit_rows) // 4))
    ]
    content = np.empty((len(rows), len(cosines) ** 2), np.float32)
    for start in range(0, len(rows), BLOCK_IMAGES):
        block = thumbnails[rows[start : start + BLOCK_IMAGES]].astype(np.float32)
        content[start : start + BLOCK_IMAGES] = (cosines @ (block @ cosines.T)).reshape(len(block), -1)
    content = content[:, 1:]  # drops the mean
    content /= np.linalg.norm(content, axis=1, keepdims=True) + 1e-9  # removes brightness and contrast
    content -= content[fit_rows].mean(axis=0)
    content /= content[fit_rows].std(axis=0) + 1e-9
    values, vectors = np.linalg.eigh(ledoit_wolf(content[fit_rows], assume_centered=True)[0])
    whiten = vectors / np.sqrt(values + WHITENING_FLOOR)
    content = content @ whiten.astype(np.float32)
    content /= np.linalg.norm(content, axis=1, keepdims=True) + 1e-9
    # Multiples of 1/2048: in units of 2^-22 their products are integers below 2^24, so that float32 sums are exact in
    # any order.
    return np.rint(content * np.float32(2048)) / np.float32(2048)


def _candidates(hashes: np.ndarray, directions: np.ndarray | None) -> Iterator[tuple[int, int]]:
    """Yields the pairs that pass the first two filters, in order."""
    for row, close in close_hash_pairs(hashes, MAX_HASH_DISTANCE):
        if directions is not None:
            # einsum, since BLAS would start its threads for every row.
            close = close[np.einsum("ij,j->i", directions[close], directions[row]) >= MIN_COSINE]
        yield from ((row, other) for other in close.tolist())


class FineStructure:
    """The fine structure of a thumbnail, uint8 (THUMBNAIL_SIZE, THUMBNAIL_SIZE)."""

    def __init__(self, thumbnail: np.ndarray):
        self.grey = thumbnail.astype(np.float32)

    @cached_property
    def edges(self) -> np.ndarray:
        """Details smaller than a few pixels, float32 (THUMBNAIL_SIZE, THUMBNAIL_SIZE), for registration."""
        return self.grey - _blurred(self.grey, 2)

    @cached_property
    def texture(self) -> np.ndarray:
        """Details of one or two pixels with local contrast normalised, for comparison: float32, a thumbnail in size.

        The normalisation keeps the outline of an organ, which all images share, from outweighing the details inside it.
        """
        band = _blurred(self.grey, 0.7) - _blurred(self.grey, 1.4)
        return band / np.sqrt(_blurred(band**2, 3) + 1)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Returns an image after a Gaussian blur."""
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _similarity(a: FineStructure, b: FineStructure) -> float:
    """Returns the correlation of two textures after b was registered to a; 0 if the registration fails.

    The registration is cv2.findTransformECC (Evangelidis and Psarakis 2008), which is invariant to brightness and
    contrast.
    """
    inner = slice(MARGIN, -MARGIN)
    edge_correlation = cv2.matchTemplate(
        b.edges, np.ascontiguousarray(a.edges[inner, inner]), cv2.TM_CCOEFF_NORMED
    ).max()
    if edge_correlation < MIN_EDGE_CORRELATION:
        return 0.0
    stop_criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 1e-3)
    transform = np.eye(2, 3, dtype=np.float32)
    try:
        _, transform = cv2.findTransformECC(a.edges, b.edges, transform, cv2.MOTION_AFFINE, stop_criteria, None, 3)
    except cv2.error:  # no convergence
        return 0.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    registered = cv2.warpAffine(b.texture, transform, (THUMBNAIL_SIZE, THUMBNAIL_SIZE), flags=flags)
    return _correlation(a.texture[inner, inner], registered[inner, inner])


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Returns Pearson's correlation."""
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (np.sqrt((x * x).sum() * (y * y).sum()) + 1e-9))


def connected_components(num_images: int, pairs: np.ndarray) -> np.ndarray:
    """Returns the component of each image: images connected by pairs, directly or through others, share one.

    So a chain of images, each a near-duplicate of the next, is one component, even if its ends differ visibly, such as
    the frames of a video. This is right for folds, which must not cut the chain; but two images of a component need not
    be near-duplicates of each other.

    Args:
        num_images: number of images.
        pairs: int (pairs, 2), row numbers.

    Returns:
        int64 (num_images,), numbered in order of first appearance; an image without pairs is a component by itself.
    """
    from scipy.sparse import coo_array, csgraph

    edges = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(num_images, num_images))
    return csgraph.connected_components(edges, directed=False)[1].astype(np.int64)
