"""Weighted means of prediction tables."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from medfold.errors import UserError, shorten_list


def mean_by_id(
    members: Mapping[str, pd.DataFrame], columns: list[str], weights: list[float] | None = None
) -> pd.DataFrame:
    """The weighted arithmetic mean of tables of predictions, joined by id.

    Args:
        members: name -> table with `id` and the columns; rows in any order.
        columns: what to average.
        weights: one for each member, not negative, brought to a sum of 1. Defaults to equal ones.

    Returns:
        A table id and columns (float64), in the order of the first member.

    Raises:
        UserError: a member with other ids than the first, an id that stands twice, or a value that is no number.
    """
    if not members:
        raise UserError("nothing to blend")
    weights = [1.0] * len(members) if weights is None else weights
    if len(weights) != len(members) or min(weights) < 0 or sum(weights) <= 0:
        raise ValueError(f"expected {len(members)} weights >= 0 with a positive sum, received {weights}")
    first_name, first = next(iter(members.items()))
    found = []
    for name, table in members.items():
        twice = table["id"].duplicated()
        if twice.any():
            raise UserError(f"ids stand twice: {shorten_list(table['id'][twice])}", name, "Train that fold anew")
        differ = set(table["id"]) ^ set(first["id"])
        if differ:
            what = f"{len(differ)} ids differ from {first_name}: {shorten_list(sorted(differ))}"
            raise UserError(what, name, "Members of a blend must predict the same samples")
        values = table.set_index("id").loc[first["id"], columns].to_numpy(np.float64)
        if not np.isfinite(values).all():
            raise UserError("a prediction is not a number", name, "Train that fold anew")
        found.append(values)
    result = pd.DataFrame(weighted_sum(found, weights), columns=columns)
    result.insert(0, "id", first["id"].to_numpy())
    return result


def weighted_sum(members: list[np.ndarray], weights: list[float]) -> np.ndarray:
    """The weighted mean of arrays of one shape, float64, added up in their order.

    Args:
        weights: one for each member, brought to a sum of 1.
    """
    total = np.zeros(members[0].shape)
    for weight, values in zip(weights, members, strict=True):
        total += weight / sum(weights) * values
    return total
