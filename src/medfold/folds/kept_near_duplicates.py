"""The near-duplicates of a competition: found once, then kept in data/."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold import files
from medfold.folds.near_duplicates import clusters, find_near_duplicates
from medfold.images import ONE_VALUE
from medfold.paths import CompetitionPaths


@dataclass(frozen=True)
class NearDuplicates:
    """Images that look alike.

    Args:
        pairs: their ids, without pairs of equal pixels, the most alike first.
        clusters: the number of each image's cluster, by id; chains of pairs, equal pixels too, are one.
    """

    pairs: list[tuple[str, str]]
    clusters: pd.Series

    def cluster_of(self, ids: pd.Series) -> np.ndarray:
        """The clusters of some images."""
        return self.clusters.loc[ids].to_numpy()


VERSION = 2  # raised when the same measurements give other pairs


def load_near_duplicates(paths: CompetitionPaths, seen: pd.DataFrame) -> NearDuplicates:
    """The near-duplicates among all images, training and test; found once, then kept in data/.

    Args:
        seen: `read_appearance`, with the column `hash` of `read_measurements`.
    """
    origin = files.fingerprint([VERSION, files.sha256(paths.appearance)])
    kept = files.read_json(paths.near_duplicates)
    ids, hashes = seen["id"].to_numpy(), seen["hash"].to_numpy()
    if not kept or kept["made from"] != origin:
        shown = seen[~seen["hash"].str.startswith(ONE_VALUE)]  # of images of one value all are alike
        likeness = np.array([int(text, 16) for text in shown["likeness"]], np.uint64)
        found = find_near_duplicates(likeness, np.load(paths.thumbnails, mmap_mode="r")[shown["row"].to_numpy()])
        rows = [
            [*shown["id"].to_numpy()[pair].tolist(), round(float(similarity), 4)]
            for pair, similarity in zip(found.pairs, found.similarity, strict=True)
        ]
        kept = {"made from": origin, "pairs": rows}
        files.write_json(kept, paths.near_duplicates)
    position = pd.Series(np.arange(len(ids)), index=ids)
    pairs = read_near_duplicates(paths)
    rows = position.loc[[id for pair in pairs for id in pair]].to_numpy().reshape(-1, 2)
    unequal = hashes[rows[:, 0]] != hashes[rows[:, 1]]
    return NearDuplicates(
        pairs=[pair for pair, differ in zip(pairs, unequal, strict=True) if differ],
        clusters=pd.Series(clusters(len(ids), rows), index=ids),
    )


def read_near_duplicates(paths: CompetitionPaths) -> list[tuple[str, str]]:
    """The ids of the pairs found last, equal pixels among them, the most alike first; none if nobody looked."""
    kept = files.read_json(paths.near_duplicates) or {"pairs": []}
    return [(a, b) for a, b, _ in sorted(kept["pairs"], key=lambda row: -row[2])]
