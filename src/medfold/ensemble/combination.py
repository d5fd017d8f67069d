"""Combination of predictions, joined by id: the mean over the folds of a run; runs, with one row per unit."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import UserError
from medfold.runs import check_finite
from medfold.scoring import FittedTransform, aggregate_predictions
from medfold.text import count_of, shorten_list


def mean_by_id(tables: Mapping[str, pd.DataFrame], columns: list[str], fix: str | None = None) -> pd.DataFrame:
    """Averages tables of predictions, joined by id.

    Args:
        tables: name -> table with `id` and the columns; rows in any order.
        columns: the columns to average.
        fix: what to do about tables that do not fit together, for the error message. Defaults to none.

    Returns:
        A table with `id` and the columns (float64), in the order of the first table.

    Raises:
        UserError: a table has other ids than the first, a duplicate id, or a value that is not a finite number.
    """
    first_name, first = next(iter(tables.items()))
    arrays = []
    for name, table in tables.items():
        duplicated = table["id"].duplicated()
        if duplicated.any():
            raise UserError(f"duplicate ids: {shorten_list(table['id'][duplicated])}", name, fix)
        differ = set(table["id"]) ^ set(first["id"])
        if differ:
            what = (
                f"{count_of(len(differ), 'id differs', 'ids differ')} from {first_name}: {shorten_list(sorted(differ))}"
            )
            raise UserError(what, name, fix)
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


def combine_runs(
    facts: CompetitionFacts,
    predictions_by_run: dict[str, pd.DataFrame],
    unit_of_image: pd.Series,
    fitted: FittedTransform,
) -> pd.DataFrame:
    """Combines the predictions of runs into one row per unit.

    Args:
        facts: facts of the competition (the prediction columns, and how samples are aggregated into units).
        predictions_by_run: by name of the run, `id` (of the image) and prediction columns; the same images in each.
        unit_of_image: the unit of each image, indexed by image id.
        fitted: combines the predictions of the runs.

    Returns:
        A table with `id` (of the unit) and the prediction columns.

    Raises:
        UserError: the runs predict different units.
    """
    ids, stack = _stack_runs(facts, predictions_by_run, unit_of_image)
    table = pd.DataFrame(fitted.apply(stack) if len(ids) else stack[0], columns=facts.prediction_columns)
    table.insert(0, "id", ids)
    return table


def _stack_runs(
    facts: CompetitionFacts, predictions_by_run: dict[str, pd.DataFrame], unit_of_image: pd.Series
) -> tuple[pd.Index, np.ndarray]:
    """Returns the units that the runs predict, and the predictions: float64 (runs, units, columns)."""
    tables = {
        name: aggregate_predictions(facts, table, unit_of_image).set_index("id")
        for name, table in predictions_by_run.items()
    }
    (first_name, first_table), *_ = tables.items()
    for name, table in tables.items():
        if differ := set(table.index) ^ set(first_table.index):
            what = (
                f"{count_of(len(differ), 'test unit differs', 'test units differ')} from {first_name}: "
                f"{shorten_list(sorted(differ))}"
            )
            raise UserError(what, name, "Runs must predict the same images: leave it out, or train it again")
    ids = first_table.index
    return ids, np.stack([table.loc[ids, facts.prediction_columns].to_numpy(np.float64) for table in tables.values()])
