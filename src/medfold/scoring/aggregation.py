"""Aggregation of samples into units.

A unit is one row of the score and of the submission. Several samples, such as the images of one patient, may
share a unit.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts


@dataclass(frozen=True)
class AggregatedSamples:
    """Labels and predictions of units.

    Args:
        unit_ids: text (units,), in the order in which the units first occur among the samples.
        first_rows: int (units,), the position of the first sample of each unit.
        targets: int (units,) or (units, labels).
        predictions: float64 (units, columns).
    """

    unit_ids: np.ndarray
    first_rows: np.ndarray
    targets: np.ndarray
    predictions: np.ndarray


def aggregate(
    facts: CompetitionFacts, units: np.ndarray, targets: np.ndarray, predictions: np.ndarray
) -> AggregatedSamples:
    """Aggregates labels and predictions of samples into labels and predictions of their units.

    The target of a unit is the highest class among its samples; of a multi-label task, each label that any of its
    samples has. Its prediction is the mean or the maximum over its samples, according to `score.aggregate`. Maxima of
    mutually exclusive classes are normalised to a sum of 1.

    Args:
        facts: facts of the competition (the task, and `score.aggregate`).
        units: text (n,), the id of the unit of each sample.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        predictions: float (n, columns).
    """
    predictions = predictions.astype(np.float64)
    codes, unique = pd.factorize(np.asarray(units, object))
    if len(unique) == len(units):
        return AggregatedSamples(np.asarray(units, object), np.arange(len(units)), targets, predictions)
    first_rows = np.unique(codes, return_index=True)[1]
    return AggregatedSamples(
        np.asarray(unique, object),
        first_rows,
        targets_of_units(units, targets),
        _aggregate_columns(facts, codes, predictions),
    )


def targets_of_units(units: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the targets of units: the highest class of their samples, or each label that any of them has.

    Args:
        units: text (n,), the id of the unit of each sample.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).

    Returns:
        int (units,) or (units, labels), in the order in which the units first occur.
    """
    codes, unique = pd.factorize(np.asarray(units, object))
    return pd.DataFrame(targets).groupby(codes).max().to_numpy().reshape(len(unique), *targets.shape[1:])


def aggregate_predictions(facts: CompetitionFacts, table: pd.DataFrame, unit: pd.Series) -> pd.DataFrame:
    """Aggregates a table of predictions into one row per unit.

    Args:
        facts: facts of the competition (the prediction columns, and `score.aggregate`).
        table: `id` of the sample, and the prediction columns.
        unit: the unit of each sample, indexed by the sample's id.

    Returns:
        A table with `id` (of the unit) and the prediction columns.
    """
    codes, unique = pd.factorize(unit.loc[table["id"]].to_numpy(object))
    values = table[facts.prediction_columns].to_numpy(np.float64)
    aggregated = pd.DataFrame(_aggregate_columns(facts, codes, values), columns=facts.prediction_columns)
    aggregated.insert(0, "id", unique)
    return aggregated


def _aggregate_columns(facts: CompetitionFacts, codes: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    values = pd.DataFrame(predictions).groupby(codes).agg(facts.score.aggregate).to_numpy()
    if facts.score.aggregate == "max" and facts.has_exclusive_classes:
        values = values / values.sum(axis=1, keepdims=True)
    return values
