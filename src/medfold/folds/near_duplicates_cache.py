"""The near-duplicates of a competition: computed once and cached in data/."""

import numpy as np
import pandas as pd
from pydantic import BaseModel

from medfold.earlier_versions import NEAR_DUPLICATES
from medfold.errors import UserError
from medfold.folds.near_duplicates import NearDuplicates, connected_components, find_near_duplicates
from medfold.images import ONE_VALUE_PREFIX
from medfold.paths import CompetitionPaths
from medfold.system import json_files
from medfold.system.hashes import fingerprint, sha256
from medfold.terminal.console import warn

VERSION = 2  # increase it when the same measurements give other pairs


def cached_near_duplicates(paths: CompetitionPaths, appearance: pd.DataFrame) -> NearDuplicates:
    """Returns the near-duplicates among all images, training and test; computed at first use, then read from data/.

    Args:
        paths: paths of the competition; thumbnails are read and the pairs are kept there.
        appearance: `read_appearance`, with the column `pixel_hash` of `read_measurements`.
    """
    inputs_fingerprint = fingerprint([VERSION, sha256(paths.appearance)])
    cached = _read_cached(paths)
    ids, hashes = appearance["id"].to_numpy(), appearance["pixel_hash"].to_numpy()
    if not cached or cached.inputs_fingerprint != inputs_fingerprint:
        # All images of a single value look alike.
        varied = appearance[~appearance["pixel_hash"].str.startswith(ONE_VALUE_PREFIX)]
        perceptual_hashes = np.array([int(text, 16) for text in varied["perceptual_hash"]], np.uint64)
        forest = find_near_duplicates(
            perceptual_hashes, np.load(paths.thumbnails, mmap_mode="r")[varied["row"].to_numpy()]
        )
        rows = [
            [*varied["id"].to_numpy()[pair].tolist(), round(float(similarity), 4)]
            for pair, similarity in zip(forest.pairs, forest.similarity, strict=True)
        ]
        json_files.write({"inputs_fingerprint": inputs_fingerprint, "pairs": rows}, paths.near_duplicates, sealed=True)
    position = pd.Series(np.arange(len(ids)), index=ids)
    pairs = read_near_duplicates(paths)
    rows = position.loc[[image_id for pair in pairs for image_id in pair]].to_numpy().reshape(-1, 2)
    unequal = hashes[rows[:, 0]] != hashes[rows[:, 1]]
    return NearDuplicates(
        pairs=[pair for pair, differ in zip(pairs, unequal, strict=True) if differ],
        components=pd.Series(connected_components(len(ids), rows), index=ids),
    )


def read_near_duplicates(paths: CompetitionPaths) -> list[tuple[str, str]]:
    """Reads the ids of the pairs found last, identical pixels included, the most similar first.

    Returns:
        An empty list if near-duplicates were not computed yet.
    """
    cached = _read_cached(paths)
    return [(a, b) for a, b, _ in sorted(cached.pairs, key=lambda row: -row[2])] if cached else []


class _NearDuplicatesJson(BaseModel):
    """The values of near_duplicates.json by their types: each pair has two ids and their similarity."""

    inputs_fingerprint: str
    pairs: list[tuple[str, str, float]]


def _read_cached(paths: CompetitionPaths) -> _NearDuplicatesJson | None:
    try:
        return json_files.read(paths.near_duplicates, NEAR_DUPLICATES, schema=_NearDuplicatesJson)
    except UserError:
        warn("damaged", f"{paths.near_duplicates.name} has changed since it was written: made again")
        return None
