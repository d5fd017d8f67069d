"""The store: prepared images as one memory-mapped uint8 array, decoded once; and the hashes of the raw pixels."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from medfold import files, machine, recipe
from medfold.competition import Competition
from medfold.errors import UserError
from medfold.images import formats
from medfold.images.prepare import prepare
from medfold.paths import CompetitionPaths
from medfold.terminal import progress

VERSION = 1  # raised when the same inputs give other pixels


@dataclass(frozen=True)
class Store:
    """Prepared images.

    Args:
        pixels: uint8 (images, size, size, channels), memory-mapped.
        rows: the row of each id in it.
    """

    pixels: np.ndarray
    rows: pd.Series

    def of(self, ids: pd.Series) -> np.ndarray:
        """The rows of these ids, int64."""
        return self.rows.loc[ids].to_numpy()


def key(competition: Competition, paths: CompetitionPaths, choices: recipe.Images) -> str:
    """The name of a store: a hash of everything that changes a pixel or a row of it."""
    facts = {
        "version": VERSION,
        "samples": files.sha256(paths.samples),
        "raw": files.sha256(paths.raw_manifest),
        "root": competition.images.root,
        "channels": competition.images.channels,
        "images": choices.model_dump(),
    }
    return files.fingerprint(facts)


def complete(paths: CompetitionPaths, key: str) -> bool:
    """True if the store of that key is there; it is renamed into its place when it is complete."""
    return paths.store(key).is_dir()


def load(paths: CompetitionPaths, key: str) -> Store:
    """Opens a store without reading its pixels."""
    folder = paths.store(key)
    index = files.read_csv(folder / "index.csv")
    return Store(np.load(folder / "images.npy", mmap_mode="r"), index.set_index("id")["row"])


def build(competition: Competition, paths: CompetitionPaths, choices: recipe.Images, samples: pd.DataFrame) -> None:
    """Decodes and prepares every image of the sample table, in parallel, into the store of its key.

    Raises:
        UserError: an image that cannot be read; the file is named.
    """
    folder = paths.store(key(competition, paths, choices))
    with files.lock(folder):
        if folder.is_dir():
            return
        with files.whole(folder) as temporary:
            temporary.mkdir(parents=True)
            shape = (len(samples), choices.size, choices.size, competition.images.channels)
            pixels = np.lib.format.open_memmap(temporary / "images.npy", mode="w+", dtype=np.uint8, shape=shape)
            prepared = _map(competition, paths, samples, lambda image: prepare(image, choices), "prepare")
            for row, image in enumerate(prepared):
                pixels[row] = image
            pixels.flush()
            del pixels
            files.write_csv(pd.DataFrame({"id": samples["id"], "row": range(len(samples))}), temporary / "index.csv")


def pixel_hashes(competition: Competition, paths: CompetitionPaths, samples: pd.DataFrame) -> pd.DataFrame:
    """Size and hash of the raw pixels of every image; equal images have equal hashes whatever file they stand in.

    Kept in `data/<name>/pixels.csv` and taken from there while samples and raw files are the same.

    Returns:
        A table id, height, width, hash, in the order of `samples`.

    Raises:
        UserError: an image that cannot be read, or of another shape than competition.yaml expects.
    """
    origin = files.fingerprint([VERSION, files.sha256(paths.samples, paths.raw_manifest)])
    if paths.pixels.is_file():
        table = files.read_csv(paths.pixels)
        if table["origin"].eq(origin).all():
            return table.drop(columns="origin")

    def measure(image: np.ndarray) -> tuple[int, int, str]:
        digest = hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16)
        return *image.shape[:2], digest.hexdigest()

    measured = list(_map(competition, paths, samples, measure, "check"))
    table = pd.DataFrame(measured, columns=["height", "width", "hash"])
    table.insert(0, "id", samples["id"].to_numpy())
    expected = competition.images.shape
    if expected:
        wrong = (table[["height", "width"]] != expected).any(axis=1).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            found = list(table.loc[row, ["height", "width"]])
            where = paths.raw / samples["image"].iloc[row]
            raise UserError(f"an image of {found[0]}x{found[1]}, expected {expected[0]}x{expected[1]}", where)
    files.write_csv(table.assign(origin=origin), paths.pixels)
    return table


def _map(
    competition: Competition, paths: CompetitionPaths, samples: pd.DataFrame, function: Callable, stage: str
) -> Iterator:
    """`function` of every raw image, in order, computed by as many threads as there are cores."""
    root = paths.raw_root(competition.images.root)
    threads = machine.cores()
    cv2.setNumThreads(1)

    def one(image: str):
        return function(formats.read(root, image, competition.images.channels))

    with ThreadPoolExecutor(threads) as pool, progress("images") as bar:
        task = bar.add_task("", stage=stage, total=len(samples))
        images = list(samples["image"])
        # In chunks, so that finished images do not pile up in memory.
        for start in range(0, len(images), 64 * threads):
            for result in pool.map(one, images[start : start + 64 * threads]):
                bar.advance(task)
                yield result
