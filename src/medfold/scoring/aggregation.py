"""Units: what score and submission have one row for, where that is more than one image."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.competition import Competition


@dataclass(frozen=True)
class AggregatedSamples:
    """Samples brought together.

    Args:
        names: text (units,), in the order of their first samples.
        first: int (units,), the position of the first sample of each.
        targets: int (units,) or (units, labels).
        predictions: float64 (units, columns).
    """

    names: np.ndarray
    first: np.ndarray
    targets: np.ndarray
    predictions: np.ndarray


def aggregate(
    competition: Competition, names: np.ndarray, targets: np.ndarray, predictions: np.ndarray
) -> AggregatedSamples:
    """The labels and predictions of units, from those of their samples.

    A unit has the highest of its samples' classes, and each label that any of them has. Its prediction is the mean or
    the maximum of theirs, as `score.aggregate` says; of classes that exclude each other, brought to a sum of 1.

    Args:
        names: text (n,), the unit of each sample.
        targets: int (n,) or (n, labels).
        predictions: float (n, columns).
    """
    predictions = predictions.astype(np.float64)
    number, unique = pd.factorize(np.asarray(names, object))
    if len(unique) == len(names):
        return AggregatedSamples(np.asarray(names, object), np.arange(len(names)), targets, predictions)
    first = np.unique(number, return_index=True)[1]
    return AggregatedSamples(
        np.asarray(unique, object),
        first,
        labels_of_units(names, targets),
        _aggregated(competition, number, predictions),
    )


def labels_of_units(names: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The labels of units, in the order of their first samples: the highest class, and each label that any has.

    Args:
        names: text (n,), the unit of each sample.
        targets: int (n,) or (n, labels).

    Returns:
        int (units,) or (units, labels).
    """
    number, unique = pd.factorize(np.asarray(names, object))
    return pd.DataFrame(targets).groupby(number).max().to_numpy().reshape(len(unique), *targets.shape[1:])


def aggregate_predictions(competition: Competition, table: pd.DataFrame, unit: pd.Series) -> pd.DataFrame:
    """A table of predictions with a row per unit, named `id`.

    Args:
        table: id and prediction columns.
        unit: the unit of each sample, by its id.
    """
    number, unique = pd.factorize(unit.loc[table["id"]].to_numpy(object))
    values = table[competition.prediction_columns].to_numpy(np.float64)
    joined = pd.DataFrame(_aggregated(competition, number, values), columns=competition.prediction_columns)
    joined.insert(0, "id", unique)
    return joined


def _aggregated(competition: Competition, number: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    values = pd.DataFrame(predictions).groupby(number).agg(competition.score.aggregate).to_numpy()
    if competition.score.aggregate == "max" and competition.exclusive_classes:
        values = values / values.sum(axis=1, keepdims=True)
    return values
