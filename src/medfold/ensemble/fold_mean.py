"""Weighted means of prediction tables."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from medfold.errors import UserError, count_of, shorten_list
from medfold.runs import check_finite


def mean_by_id(
    members: Mapping[str, pd.DataFrame], columns: list[str], weights: list[float] | None = None
) -> pd.DataFrame:
    """Averages tables of predictions, joined by id: a weighted arithmetic mean.

    Args:
        members: name -> table with `id` and the columns; rows in any order.
        columns: the columns to average.
        weights: one for each member, not negative; normalised to a sum of 1. Defaults to equal weights.

    Returns:
        A table with `id` and the columns (float64), in the order of the first member.

    Raises:
        UserError: a member has other ids than the first, a duplicate id, or a value that is not a finite number.
    """
    if not members:
        raise UserError("nothing to average")
    weights = [1.0] * len(members) if weights is None else weights
    if len(weights) != len(members) or min(weights) < 0 or sum(weights) <= 0:
        raise ValueError(f"expected {len(members)} weights >= 0 with a positive sum, received {weights}")
    first_name, first = next(iter(members.items()))
    arrays = []
    for name, table in members.items():
        duplicated = table["id"].duplicated()
        if duplicated.any():
            raise UserError(f"duplicate ids: {shorten_list(table['id'][duplicated])}", name, "Train that fold again")
        differ = set(table["id"]) ^ set(first["id"])
        if differ:
            what = (
                f"{count_of(len(differ), 'id differs', 'ids differ')} from {first_name}: {shorten_list(sorted(differ))}"
            )
            raise UserError(what, name, "Members of an ensemble must predict the same samples")
        values = table.set_index("id").loc[first["id"], columns].to_numpy(np.float64)
        check_finite(values, first["id"], name)
        arrays.append(values)
    result = pd.DataFrame(weighted_sum(arrays, weights), columns=columns)
    result.insert(0, "id", first["id"].to_numpy())
    return result


def weighted_sum(members: list[np.ndarray], weights: list[float]) -> np.ndarray:
    """Averages arrays of one shape with weights, in float64, summed in their order.

    Args:
        members: arrays of one shape, one per member.
        weights: one for each array; normalised to a sum of 1.
    """
    total = np.zeros(members[0].shape)
    for weight, values in zip(weights, members, strict=True):
        total += weight / sum(weights) * values
    return total
