"""The store: prepared images as one memory-mapped uint8 array, decoded once."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition, ImageFacts, ImageSettings, plugins_hash
from medfold.errors import UserError
from medfold.images.formats.reading import FORMAT_MODULES
from medfold.images.preparation import STEPS
from medfold.paths import CompetitionPaths

VERSION = 3  # raised when the same inputs give other pixels
READING = {"root", "channels", "windows", "range", "frame"}  # facts that decide how a file becomes pixels


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


def image_list_fingerprint(paths: CompetitionPaths) -> str:
    """A fingerprint of the ids and paths of all images, whichever part they belong to.

    Raises:
        UserError: there is no sample table.
    """
    made = files.read_json(paths.samples_metadata)
    if not made:
        raise UserError("no sample table", paths.samples, f"Run: make download COMPETITION={paths.name}")
    return made["images"]


def store_key(competition: Competition, paths: CompetitionPaths, choices: ImageSettings) -> str:
    """The name of a store: a hash of everything that changes a pixel or a row of it."""
    facts = {
        "version": VERSION,
        "samples": image_list_fingerprint(paths),
        "raw": files.sha256(paths.raw_manifest),
        "reading": competition.images.model_dump(mode="json", include=READING),
        "images": choices.model_dump(),
    }
    return files.fingerprint(facts | image_plugins(competition.images, paths, choices))


def image_plugins(facts: ImageFacts, paths: CompetitionPaths, choices: ImageSettings | None = None) -> dict[str, str]:
    """The hash of plugins.py, as `plugins`, if it reads or prepares images; else nothing.

    It is not run for that, so it is taken to do so if a step, or the ending of the images, is not built in.
    """
    plugins = plugins_hash(paths.plugins)
    if plugins is None:
        return {}
    names = [
        name for step in (choices.steps if choices else []) for name in ([step] if isinstance(step, str) else step)
    ]
    endings = {PurePosixPath(pattern).suffix.lower() for pattern in (*facts.train, *facts.test)}
    built_in = {ending for endings_of in FORMAT_MODULES.values() for ending in endings_of} | {""}
    if any(not STEPS.is_built_in(name) for name in names) or not endings <= built_in:
        return {"plugins": plugins}
    return {}


def store_exists(paths: CompetitionPaths, key: str) -> bool:
    """True if the store of that key is there; it is renamed into its place when it is complete."""
    return paths.store(key).is_dir()


def load_store(paths: CompetitionPaths, key: str) -> Store:
    """Opens a store without reading its pixels."""
    folder = paths.store(key)
    index = files.read_csv(folder / "index.csv")
    return Store(np.load(folder / "images.npy", mmap_mode="r"), index.set_index("id")["row"])


def finish_store(paths: CompetitionPaths, key: str, unfinished: Path, index: pd.DataFrame) -> None:
    """Gives a store its name, now that all images are in it.

    Args:
        unfinished: a folder with `images.npy`.
        index: id, row of the images in it.
    """
    files.write_csv(index, unfinished / "index.csv")
    unfinished.replace(paths.store(key))
