"""Groups joined by images that they share, so that equal images stay in one fold."""

import numpy as np
import pandas as pd

from medfold.folds.near_duplicates import NearDuplicates, connected_components


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
        shared.append(near.component_of(samples["id"]))
    return merge_groups(samples["group"].to_numpy(), *shared)


def merge_groups(groups: np.ndarray, *shared: np.ndarray) -> np.ndarray:
    """Merges groups that share something, such as an identical image; chains of such groups become one group, too.

    Args:
        groups: int (n,), the group of each sample.
        shared: (n,) each, equal where samples share something: pixel hashes, components of near-duplicates.

    Returns:
        int64 (n,): the smallest group number of each merged component.
    """
    group_node, unique_groups = pd.factorize(groups, sort=True)
    nodes = []
    total = len(unique_groups)
    for column in shared:
        node, unique_values = pd.factorize(column)
        nodes.append(node + total)
        total += len(unique_values)
    rows, columns = np.tile(group_node, len(shared)), np.concatenate(nodes)
    component = connected_components(total, np.column_stack([rows, columns]))[: len(unique_groups)]
    smallest = pd.Series(np.asarray(unique_groups)).groupby(component).min()
    return smallest.loc[component[group_node]].to_numpy(np.int64)
