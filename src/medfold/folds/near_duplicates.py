"""Near-duplicates: images that show the same picture in other pixels, such as a copy that was scaled, cropped by a few
percent, turned by a few degrees, brightened or compressed once more.

They are found from what `perceptual_hash.describe` keeps of each image, a hash and a thumbnail of 4 kB, so that no
image is decoded twice. There are three sieves, each finer and dearer than the one before:

1. the perceptual hash: two copies differ in few of its bits;
2. the coarse content: medical images are alike, so what all of them have in common is taken out before comparing;
3. the fine structure, after one thumbnail was laid over the other.

Images should have about 100 pixels a side. What sets two images of one kind apart is finer than a smaller one shows,
and of its copies those that were scaled or compressed are missed.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from scipy.cluster.hierarchy import DisjointSet
from scipy.fft import dct
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from medfold.images import THUMBNAIL

# The limits were chosen on chest radiographs, real and made up; benchmarks/near_duplicates.py tells what they find.
RADIUS = 12  # bits of 64; a crop of 3 % changes 6 as a median, and more than 12 once in a hundred times
FREQUENCIES = 14  # of the cosine transform, in both directions: the coarse content
ALIKE = 0.48  # the cosine between the coarse contents of two copies, at least
GLANCE = 0.6  # the correlation between their edges, shifted by whole pixels, at least
FEW = 100  # of fewer images it cannot be told what they have in common, and the second sieve is left out
SIMILARITY = 0.935  # the correlation between the fine structures of two copies, at least
BLANK = 1.0  # standard deviation in grey levels; below it there is nothing to compare
MARGIN = 3  # pixels at the border that the other thumbnail may lack


@dataclass(frozen=True)
class NearDuplicateForest:
    """Near-duplicates, as a forest: just as many pairs as connect those that belong together.

    Of a and b, b and c, a and c only two pairs stand here; so k copies of an image are k - 1 pairs.

    Args:
        pairs: int64 (m, 2), row numbers i < j, sorted.
        similarity: float64 (m,), from `SIMILARITY` to 1.
    """

    pairs: np.ndarray
    similarity: np.ndarray


def close_hash_pairs(hashes: np.ndarray, radius: int) -> Iterator[tuple[int, np.ndarray]]:
    """All pairs of hashes that differ in few bits, exactly.

    They come a row at a time, since n equal hashes make n^2/2 pairs. Every pair is looked at. Multi-index hashing
    (Norouzi, Punjani, Fleet 2012) looks only at those that agree in one of radius + 1 bands of bits, which pays for
    small radii: at 12, bands have 5 bits, and half of all random pairs agree in one, of radiographs nine in ten.

    Args:
        hashes: uint64 (n,).
        radius: bits that may differ.

    Yields:
        A row, and int64 (m,), the rows behind it that are close, rising.
    """
    for row, own in enumerate(hashes):
        behind = hashes[row + 1 :]
        yield row, np.flatnonzero(np.bitwise_count(behind ^ own) <= radius) + row + 1


def find_near_duplicates(hashes: np.ndarray, thumbnails: np.ndarray) -> NearDuplicateForest:
    """The near-duplicates among images.

    The order of the images does not matter. Blank images are nobody's near-duplicates.

    Args:
        hashes: uint64 (n,), of `perceptual_hash.describe`.
        thumbnails: uint8 (n, THUMBNAIL, THUMBNAIL), of `perceptual_hash.describe`; may be memory-mapped.
    """
    kept = np.flatnonzero([thumbnail.std() >= BLANK for thumbnail in thumbnails])
    # Equal descriptions are joined at once, the others are put into the order of their digests: nothing that follows
    # depends on the order of the images.
    digests = [hashlib.blake2b(thumbnails[row].tobytes(), digest_size=16).digest() for row in kept]
    _, first, same = np.unique(np.array(digests, "V16"), return_index=True, return_inverse=True)
    rows, original = kept[first], kept[first[same]]
    copies = kept != original
    found = [(i, j, 1.0) for i, j in zip(original[copies], kept[copies], strict=True)]

    structure = lru_cache(maxsize=256)(lambda row: Structure(thumbnails[row]))
    joined = DisjointSet(range(len(rows)))
    for a, b in _candidates(hashes[rows], _directions(hashes, thumbnails, rows)):
        if not joined.connected(a, b):
            similarity = _similarity(structure(rows[a]), structure(rows[b]))
            if similarity >= SIMILARITY:
                joined.merge(a, b)
                found.append((*sorted((rows[a], rows[b])), similarity))
    found.sort()
    table = np.array(found, np.float64).reshape(-1, 3)
    return NearDuplicateForest(table[:, :2].astype(np.int64), table[:, 2])


def _directions(hashes: np.ndarray, thumbnails: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """The coarse content of each image without what all have in common, as a direction.

    The low frequencies are standardised and decorrelated (whitened, with the covariance of Ledoit and Wolf 2004), so
    that two images of different patients stand at about a right angle however much alike they look.

    Returns:
        float32 (rows, dimensions), nearly of unit length; None for fewer than `FEW` different images.
    """
    from sklearn.covariance import ledoit_wolf

    # What is common is learnt from one image of each hash, or a crowd of copies would pass for it. The order is that of
    # digests, so the first of them are as good as any.
    learnt = np.sort(np.unique(hashes[rows], return_index=True)[1])[:20_000]
    if len(learnt) < FEW:
        return None
    # Four images at least for each dimension: with fewer, any two images could be told apart by something.
    waves = dct(np.eye(THUMBNAIL, dtype=np.float32), axis=0)[: min(FREQUENCIES, math.isqrt(len(learnt) // 4))]
    content = np.empty((len(rows), len(waves) ** 2), np.float32)
    for start in range(0, len(rows), 1024):
        block = thumbnails[rows[start : start + 1024]].astype(np.float32)
        content[start : start + 1024] = (waves @ (block @ waves.T)).reshape(len(block), -1)
    content = content[:, 1:]  # without the mean
    content /= np.linalg.norm(content, axis=1, keepdims=True) + 1e-9  # brightness and contrast
    content -= content[learnt].mean(axis=0)
    content /= content[learnt].std(axis=0) + 1e-9
    values, vectors = np.linalg.eigh(ledoit_wolf(content[learnt], assume_centered=True)[0])
    whiten = vectors / np.sqrt(values + 0.01)  # what varies less is noise, not to be made loud
    content = content @ whiten.astype(np.float32)
    content /= np.linalg.norm(content, axis=1, keepdims=True) + 1e-9
    # Whole numbers below 2^24 in their products: exact in float32, in whatever order they are summed.
    return np.rint(content * np.float32(2048)) / np.float32(2048)


def _candidates(hashes: np.ndarray, directions: np.ndarray | None) -> Iterator[tuple[int, int]]:
    """The pairs that pass the first two sieves, in order."""
    for row, close in close_hash_pairs(hashes, RADIUS):
        if directions is not None:
            # By einsum, since BLAS would start its threads for every row.
            close = close[np.einsum("ij,j->i", directions[close], directions[row]) >= ALIKE]
        yield from ((row, other) for other in close.tolist())


class Structure:
    """The fine structure of a thumbnail, uint8 (THUMBNAIL, THUMBNAIL)."""

    def __init__(self, thumbnail: np.ndarray):
        self.grey = thumbnail.astype(np.float32)

    @cached_property
    def edges(self) -> np.ndarray:
        """What is smaller than a few pixels, float32 (THUMBNAIL, THUMBNAIL); to lay one over the other."""
        return self.grey - _blurred(self.grey, 2)

    @cached_property
    def texture(self) -> np.ndarray:
        """What is one or two pixels large, loud and faint parts alike, float32 (THUMBNAIL, THUMBNAIL); to compare.

        So the outline of an organ, which all images share, does not outweigh what is within it.
        """
        band = _blurred(self.grey, 0.7) - _blurred(self.grey, 1.4)
        return band / np.sqrt(_blurred(band**2, 3) + 1)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _similarity(a: Structure, b: Structure) -> float:
    """The correlation of two textures after b was laid over a; 0 if it cannot be.

    The place is found by cv2.findTransformECC (Evangelidis and Psarakis 2008), to which brightness and contrast do not
    matter.
    """
    inner = slice(MARGIN, -MARGIN)
    glance = cv2.matchTemplate(b.edges, np.ascontiguousarray(a.edges[inner, inner]), cv2.TM_CCOEFF_NORMED).max()
    if glance < GLANCE:
        return 0.0
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 1e-3)
    place = np.eye(2, 3, dtype=np.float32)
    try:
        _, place = cv2.findTransformECC(a.edges, b.edges, place, cv2.MOTION_AFFINE, enough, None, 3)
    except cv2.error:  # it does not converge
        return 0.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(b.texture, place, (THUMBNAIL, THUMBNAIL), flags=flags)
    return _correlation(a.texture[inner, inner], laid[inner, inner])


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (np.sqrt((x * x).sum() * (y * y).sum()) + 1e-9))


def clusters(n: int, pairs: np.ndarray) -> np.ndarray:
    """The cluster of each image: what is connected by pairs, directly or through others.

    So a chain of images, each a near-duplicate of the next, is one cluster, though its ends may differ visibly: the
    frames of a film, say. That is right for folds, where the chain must not be cut; a cluster is no proof that any two
    of its images are near-duplicates.

    Args:
        n: number of images.
        pairs: int (m, 2), row numbers.

    Returns:
        int64 (n,), numbered by the first image of each; an image without pairs has a number of its own.
    """
    edges = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(edges, directed=False)[1].astype(np.int64)
