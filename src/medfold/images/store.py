"""Store of prepared images: one memory-mapped uint8 array per preparation, so that images are decoded once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from medfold.competition import Competition, ImageFacts, PreparationSettings, plugins_hash
from medfold.errors import UserError
from medfold.images.formats.format_registry import READERS
from medfold.images.image_list import read_image_list_fingerprint
from medfold.images.preparation import STEPS
from medfold.paths import CompetitionPaths
from medfold.project_root import display_path
from medfold.system import array_files, files, json_files
from medfold.system.hashes import fingerprint, sha256
from medfold.tables import read_csv, write_csv

VERSION = 3  # increase it when the same inputs give other pixels
IMAGES_FILE, INDEX_FILE, BLOCKS_FILE = "images.npy", "index.csv", "blocks.json"
READING_FACTS = {"root", "channels", "windows", "range", "frame"}  # image facts that determine the pixels of a file


@dataclass(frozen=True)
class Store:
    """Prepared images; a pickled store is the path of its folder, and is opened again when it is unpickled.

    Args:
        pixels: uint8 (images, size, size, channels), memory-mapped.
        rows: row in `pixels` of each image, by id.
        folder: folder with the files; None if the pixels are in memory only. Defaults to None.
    """

    pixels: np.ndarray
    rows: pd.Series
    folder: Path | None = None

    def __reduce__(self) -> tuple:
        if self.folder is None:
            return Store, (self.pixels, self.rows)
        return open_store, (self.folder,)

    def rows_of(self, ids: pd.Series) -> np.ndarray:
        """Returns the rows of the given ids, int64 (n,)."""
        return self.rows.loc[ids].to_numpy()


def store_key(competition: Competition, preparation: PreparationSettings) -> str:
    """Returns the name of a store: a hash of everything that determines its pixels and rows.

    Args:
        competition: the competition: its facts `images`, sample table and raw data.
        preparation: how to prepare the images.

    Raises:
        UserError: there is no sample table.
    """
    image_facts, paths = competition.facts.images, competition.paths
    inputs = {
        "version": VERSION,
        "samples": read_image_list_fingerprint(paths),
        "raw": sha256(paths.raw_manifest),
        "reading": image_facts.model_dump(mode="json", include=READING_FACTS),
        "images": preparation.model_dump(),
    }
    return fingerprint(inputs | image_plugins(image_facts, paths, preparation))


def image_plugins(
    image_facts: ImageFacts, paths: CompetitionPaths, preparation: PreparationSettings | None = None
) -> dict[str, str]:
    """Returns {"plugins": hash of plugins.py} if plugins.py reads or prepares images, else {}.

    plugins.py is not executed for this: it counts as used if a step, or the file extension of the images, is not built
    in.

    Args:
        image_facts: the facts `images` (the file extensions).
        paths: paths of the competition.
        preparation: the preparation steps. Defaults to no preparation.
    """
    plugins = plugins_hash(paths.plugins)
    if plugins is None:
        return {}
    names = [
        name
        for step in (preparation.steps if preparation else [])
        for name in ([step] if isinstance(step, str) else step)
    ]
    extensions = {PurePosixPath(pattern).suffix.lower() for pattern in (*image_facts.train, *image_facts.test)} - {""}
    if not all(map(STEPS.is_built_in, names)) or not all(map(READERS.is_built_in, extensions)):
        return {"plugins": plugins}
    return {}


def store_exists(paths: CompetitionPaths, key: str) -> bool:
    """Returns True if the store exists. It gets its final name only when it is complete."""
    return paths.store(key).is_dir()


def load_store(paths: CompetitionPaths, key: str) -> Store:
    """Opens a store of a competition, memory-mapped: its pixels are not read yet.

    Raises:
        UserError: a file of it is damaged.
    """
    return open_store(paths.store(key))


def open_store(folder: Path) -> Store:
    """Opens the store in a folder, memory-mapped: its pixels are not read yet.

    Raises:
        UserError: a file of it is damaged.
    """
    with _damage_explained(folder):
        index = read_csv(folder / INDEX_FILE, row=int)
        if not {"id", "row"} <= set(index):
            raise UserError("not the table that was written", folder / INDEX_FILE)
        return Store(_open_images(folder), index.set_index("id")["row"], folder)


def _open_images(folder: Path) -> np.ndarray:
    images_file = folder / IMAGES_FILE
    try:
        return np.load(images_file, mmap_mode="r")
    except (*array_files.DAMAGED_ARRAY_ERRORS, ValueError):
        raise UserError("not the array that was written, or cut off", images_file) from None


@contextmanager
def _damage_explained(folder: Path) -> Iterator[None]:
    """Adds what to do about a damaged store to an error within the block."""
    try:
        yield
    except UserError as error:
        fix = f"Remove the folder {display_path(folder)}, and run the same command again: it prepares the images again"
        raise UserError(error.what, error.where, fix) from None


def verify_store(paths: CompetitionPaths, key: str) -> int:
    """Reads a store from front to end and compares it with the hashes recorded when it was made.

    A store of an earlier version of medfold has no hashes: they are recorded now.

    Returns:
        The number of bytes read.

    Raises:
        UserError: pixels have changed since, or the file is cut off.
    """
    folder = paths.store(key)
    with _damage_explained(folder):
        pixels = _open_images(folder)
        hashes = json_files.read(folder / BLOCKS_FILE, schema=_StoreHashes)
        if hashes is None:
            _write_hashes(folder, array_files.hash_blocks(pixels)[0])
            return pixels.nbytes
        if not (folder / INDEX_FILE).is_file() or (hashes.index and sha256(folder / INDEX_FILE) != hashes.index):
            raise UserError("missing, or changed since it was written", folder / INDEX_FILE)
        if damaged := array_files.damaged_rows(pixels, hashes):
            rows = sum(len(block) for block in damaged)
            raise UserError(f"{rows:,} of {len(pixels):,} prepared images lie in blocks that have changed", folder)
        return pixels.nbytes


@dataclass(frozen=True)
class _StoreHashes(array_files.BlockHashes):
    """Hashes of the blocks of images, and of the index; stores of earlier versions have none of the index."""

    index: Annotated[str | None, Field(alias=INDEX_FILE)] = None


def finish_store(
    paths: CompetitionPaths, key: str, unfinished: Path, index: pd.DataFrame, blocks: array_files.BlockHashes
) -> None:
    """Completes a store: writes its index and its hashes, and renames its folder to the final name.

    Args:
        paths: paths of the competition.
        key: name of the store, from `store_key`.
        unfinished: folder with `images.npy`, all images written.
        index: columns id and row (in the array), one line per image.
        blocks: hashes of the array.
    """
    write_csv(index, unfinished / INDEX_FILE)
    _write_hashes(unfinished, blocks)
    files.flush_to_disk(unfinished)
    unfinished.replace(paths.store(key))


def _write_hashes(folder: Path, blocks: array_files.BlockHashes) -> None:
    hashes = {**asdict(blocks), INDEX_FILE: sha256(folder / INDEX_FILE)}
    json_files.write(hashes, folder / BLOCKS_FILE, sealed=True)
