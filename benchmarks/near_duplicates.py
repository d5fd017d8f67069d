"""Does the audit find near-duplicates, and nothing else, and does it do so in time?

    .venv/bin/python benchmarks/near_duplicates.py [--rounds 3] [--images folder-or-file.npz]

10,000 synthetic radiographs of 128 px, one to three of each patient; each round plants 100 copies among them: 25 that
were compressed (JPEG, quality 40), 25 scaled to 0.5-0.8 of the size, 25 cropped by 3 % of height and width at a random
place, and 25 brightened or darkened by 15 %. At least 90 must be found, and at most 2 pairs per 1,000 images may be
false; two images of one patient are. Then 100,000 hashes are compared in at most two minutes: the same ones, ten times
with up to six bits flipped, so that they crowd as those of medical images do.

With --images the copies are planted among images of one's own, of which equal ones are left out. Pairs within these
may be true, so they are shown, and not counted as false. About 2 minutes on 2 CPU cores.
"""

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from medfold.data.sources.phantom import Options
from medfold.data.sources.phantom_images import draw_image
from medfold.folds import near_duplicates
from medfold.images import perceptual_hash
from results import Result, judge

IMAGES, EACH, HASHES = 10_000, 25, 100_000
CHANGES = ("compressed", "scaled", "cropped", "brightness")
SHOWN = 20


def drawn(count: int) -> dict[str, np.ndarray]:
    """Synthetic radiographs, uint8 (128, 128, 1), by name."""
    options = Options(kind="phantom", seed=2024)
    shots = [(patient, number) for patient in range(count) for number in range(1, 2 + patient % 3)][:count]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = pool.map(lambda shot: draw_image(options, "train", *shot)[0][..., None], shots)
        return {
            f"patient {patient} image {number}": image for (patient, number), image in zip(shots, images, strict=True)
        }


def given(path: Path) -> dict[str, np.ndarray]:
    """The images of a folder, or of the arrays (n, height, width[, channels]) of an .npz file, by name."""
    images = {}
    for name, image in _in_arrays(path) if path.is_file() else _in_folder(path):
        images.setdefault(image.tobytes(), (name, image if image.ndim == 3 else image[..., None]))
    return dict(images.values())


def _in_arrays(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    with np.load(path) as content:
        for array in content.files:
            if content[array].ndim >= 3:
                yield from ((f"{array}/{row}", image) for row, image in enumerate(content[array]))


def _in_folder(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    for file in sorted(path.rglob("*")):
        image = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_ANYCOLOR) if file.is_file() else None
        if image is not None:
            yield str(file.relative_to(path)), image


def copy(image: np.ndarray, change: str, rng: np.random.Generator) -> np.ndarray:
    """A near-duplicate of an image, uint8 (height, width, channels)."""
    height, width, channels = image.shape
    if change == "compressed":
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    elif change == "scaled":
        factor = rng.uniform(0.5, 0.8)
        size = round(width * factor), round(height * factor)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    elif change == "cropped":
        rows, columns = round(height * 0.97), round(width * 0.97)
        top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
        image = image[top : top + rows, left : left + columns]
    else:
        image = np.clip(np.rint(image * rng.choice([0.85, 1.15])), 0, 255).astype(np.uint8)
    return image.reshape(*image.shape[:2], channels)


def describe(images: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Their hashes and thumbnails."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes, thumbnails = zip(*pool.map(perceptual_hash.hash_and_thumbnail, images), strict=True)
    return np.array(hashes), np.stack(thumbnails)


def search(images: list[np.ndarray], described: tuple[np.ndarray, np.ndarray], groups: np.ndarray, seed: int) -> dict:
    """One round: plants copies and looks for them.

    Args:
        images: the originals.
        described: their hashes and thumbnails.
        groups: int (images,), equal for those that are near-duplicates already; a copy may be paired with any of them.
        seed: what decides which images are copied, and how.

    Returns:
        The number found of each change, that of false pairs with a copy in them, and the seconds of the search.
    """
    rng = np.random.default_rng(seed)
    changes = np.repeat(CHANGES, EACH)
    originals = rng.choice(len(images), len(changes), replace=False)
    copies = describe([copy(images[row], change, rng) for row, change in zip(originals, changes, strict=True)])
    start = time.monotonic()
    pairs = near_duplicates.find_near_duplicates(
        *(np.concatenate(parts) for parts in zip(described, copies, strict=True))
    ).pairs
    seconds = time.monotonic() - start
    pairs = pairs[pairs[:, 1] >= len(images)]
    group = np.concatenate([groups, groups[originals]])
    true = group[pairs[:, 0]] == group[pairs[:, 1]]
    found = np.isin(np.arange(len(images), len(group)), pairs[true])
    by_change = {change: int(found[changes == change].sum()) for change in CHANGES}
    return {"found": by_change, "false": int((~true).sum()), "seconds": seconds}


def crowded(hashes: np.ndarray, count: int) -> np.ndarray:
    """So many hashes that lie around these."""
    rng = np.random.default_rng(0)
    flips = np.uint64(1) << rng.integers(0, 64, (count, 6), dtype=np.uint64)
    flips[rng.random(flips.shape) < 0.5] = 0
    return np.resize(hashes, count) ^ np.bitwise_xor.reduce(flips, axis=1)


def measure(rounds: int = 1, path: Path | None = None) -> list[Result]:
    """The search for planted copies, then the comparison of many hashes."""
    named = given(path) if path else drawn(IMAGES)
    names, images = list(named), list(named.values())
    start = time.monotonic()
    described = describe(images)
    each = (time.monotonic() - start) / len(images) * 1000
    within = near_duplicates.find_near_duplicates(*described).pairs
    for a, b in within[:SHOWN]:
        print(f"{names[a]} = {names[b]}")
    groups, searches = near_duplicates.connected_components(len(images), within), []
    for seed in range(rounds):
        searches.append(search(images, described, groups, seed))
        print(searches[-1], flush=True)
    fewest = min((one["found"] for one in searches), key=lambda found: sum(found.values()))
    false = max(one["false"] for one in searches) + (0 if path else len(within))
    hashes, start = crowded(described[0], HASHES), time.monotonic()
    close = sum(
        len(others) for _, others in near_duplicates.close_hash_pairs(hashes, near_duplicates.MAX_HASH_DISTANCE)
    )
    seconds = time.monotonic() - start
    total = len(images) + len(CHANGES) * EACH
    share = close / (HASHES * (HASHES - 1) / 2)
    results = [
        Result("description of an image", f"{each:.2f} ms"),
        Result(f"search among {total:,} images", f"{median(one['seconds'] for one in searches):.1f} s"),
        Result(
            f"copies found of {len(CHANGES) * EACH}",
            f"{sum(fewest.values())} ({', '.join(f'{change} {found}' for change, found in fewest.items())})",
            sum(fewest.values()) / (len(CHANGES) * EACH),
            0.9,
        ),
        Result("false pairs per 1,000 images", f"{false} pairs", false / total * 1000, 2, at_most=True),
        Result(
            f"{HASHES:,} hashes compared, in two minutes",
            f"{seconds:.1f} s, {share:.2%} of their pairs are close",
            seconds / 120,
            1,
            at_most=True,
        ),
    ]
    return [*results, Result("pairs among the given images", str(len(within)))] if path else results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--images", type=Path)
    choices = parser.parse_args()
    judge(measure(choices.rounds, choices.images))
