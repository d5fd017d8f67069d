"""Groups joined by images that they share, so that equal images stay in one fold."""

import numpy as np
import pandas as pd

from medfold.folds.near_duplicates_cache import NearDuplicates
from medfold.folds.splitters import merge_groups


def join_duplicates(samples: pd.DataFrame, near: NearDuplicates | None) -> np.ndarray:
    """Joins groups that share equal images or near-duplicates.

    Args:
        samples: readable samples with the columns id, group and pixel_hash.
        near: near-duplicates that join groups, too; None to join by equal pixels only.

    Returns:
        The group of each sample, in the order of `samples`.
    """
    shared = [samples["pixel_hash"].to_numpy()]
    if near is not None:
        shared.append(near.cluster_of(samples["id"]))
    return merge_groups(samples["group"].to_numpy(), *shared)
