"""Means of predictions: of tables, joined by id, and of arrays."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from medfold.errors import UserError
from medfold.runs import check_finite
from medfold.text import count_of, shorten_list


def mean_by_id(tables: Mapping[str, pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Averages tables of predictions, joined by id.

    Args:
        tables: name -> table with `id` and the columns; rows in any order.
        columns: the columns to average.

    Returns:
        A table with `id` and the columns (float64), in the order of the first table.

    Raises:
        UserError: a table has other ids than the first, a duplicate id, or a value that is not a finite number.
    """
    if not tables:
        raise UserError("nothing to average")
    first_name, first = next(iter(tables.items()))
    arrays = []
    for name, table in tables.items():
        duplicated = table["id"].duplicated()
        if duplicated.any():
            raise UserError(f"duplicate ids: {shorten_list(table['id'][duplicated])}", name, "Train that fold again")
        differ = set(table["id"]) ^ set(first["id"])
        if differ:
            what = (
                f"{count_of(len(differ), 'id differs', 'ids differ')} from {first_name}: {shorten_list(sorted(differ))}"
            )
            raise UserError(what, name, "All of them must predict the same samples")
        values = table.set_index("id").loc[first["id"], columns].to_numpy(np.float64)
        check_finite(values, first["id"], name)
        arrays.append(values)
    result = pd.DataFrame(mean_of_arrays(arrays), columns=columns)
    result.insert(0, "id", first["id"].to_numpy())
    return result


def mean_of_arrays(arrays: list[np.ndarray]) -> np.ndarray:
    """Averages arrays of one shape, in float64, summed in their order."""
    total = np.zeros(arrays[0].shape)
    for values in arrays:
        total += 1 / len(arrays) * values  # a sum divided at the end would differ in the last digit
    return total
