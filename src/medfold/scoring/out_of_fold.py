"""Out-of-fold (OOF) score: predictions joined with labels by id, scored over all units and per fold."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import UserError
from medfold.scoring.aggregation import aggregate
from medfold.scoring.bootstrap import bootstrap_interval
from medfold.scoring.metric_registry import metric_input, metric_of
from medfold.text import shorten_list


@dataclass(frozen=True)
class OofPredictions:
    """OOF predictions of units with their labels, sorted by the ids of the units' first samples.

    Args:
        unit_ids: text (units,), the ids of the units.
        predictions: float64 (units, columns).
        targets: int (units,) or (units, labels).
        folds: number of the fold of each unit, int (units,).
        groups: number of the group of each unit, int (units,).
    """

    unit_ids: np.ndarray
    predictions: np.ndarray
    targets: np.ndarray
    folds: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True)
class OofScore:
    """OOF score of a run or an ensemble, as score.json holds it; undefined values are None.

    Args:
        metric: name of the metric.
        value: score over all units.
        per_fold: score of each trained fold, by its number as text.
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        num_units: number of scored units.
        trained_folds: numbers of the folds that the score covers.
        is_optimistic: True if epochs were chosen on the scored folds.
        more_metrics: value of each further metric that competition.yaml lists in `score.more_metrics`, by its name.
        facts: the settings `score` and `submission` that it was computed with, kept because competition.yaml may
            change; None in records of older versions.
        ensemble: method, weights and parameters of an ensemble; None for a single run.
    """

    metric: str
    value: float | None
    per_fold: dict[str, float | None]
    low: float | None
    high: float | None
    num_units: int
    trained_folds: list[int]
    is_optimistic: bool
    more_metrics: dict[str, float | None]
    facts: dict[str, Any] | None = None
    ensemble: dict[str, Any] | None = None

    def content(self) -> dict[str, Any]:
        """Returns the score as JSON objects; without the key `ensemble` for a run."""
        content = asdict(self)
        if self.ensemble is None:
            del content["ensemble"]
        return content


def oof_by_unit(
    facts: CompetitionFacts,
    oof: pd.DataFrame,
    train: pd.DataFrame,
    targets: np.ndarray,
    file: object = "oof.csv",
    fix: str | None = None,
) -> OofPredictions:
    """Joins OOF predictions with labels by id and aggregates them into units, sorted by id.

    Args:
        facts: facts of the competition (the prediction columns, and `score.aggregate`).
        oof: id, fold and prediction columns; rows in any order.
        train: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        file: the file of the predictions, for the error message. Defaults to "oof.csv".
        fix: what to do about predictions that do not match, for the error message. Defaults to none.

    Raises:
        UserError: an id is predicted in another fold than that of the folds table, or twice, or samples of a predicted
            fold are missing.
    """
    position = pd.Series(np.arange(len(train)), index=train["id"])
    folds = sorted(oof["fold"].unique().tolist())
    expected = train.loc[train["fold"].isin(folds), ["id", "fold"]]
    merged = expected.merge(oof[["id", "fold"]], how="outer", on=["id", "fold"], indicator=True)
    unmatched = [*merged.loc[merged["_merge"] != "both", "id"], *oof["id"][oof["id"].duplicated()]]
    if unmatched:
        raise UserError(f"the predictions do not match the folds table: {shorten_list(unmatched)}", file, fix)
    # Sorted, because a bootstrap interval depends on the order of the groups.
    oof = oof.sort_values("id")
    rows = position.loc[oof["id"]].to_numpy()
    aggregated = aggregate(
        facts,
        train["unit"].to_numpy()[rows],
        targets[rows],
        oof[facts.prediction_columns].to_numpy(np.float64),
    )
    return OofPredictions(
        unit_ids=aggregated.unit_ids,
        predictions=aggregated.predictions,
        targets=aggregated.targets,
        folds=oof["fold"].to_numpy()[aggregated.first_rows],
        groups=train["group"].to_numpy()[rows][aggregated.first_rows],
    )


def oof_score(
    facts: CompetitionFacts, oof: OofPredictions, is_optimistic: bool, probabilities: OofPredictions | None = None
) -> OofScore:
    """Computes the OOF score: over all units, per fold, with a 95 % interval over groups.

    Args:
        facts: facts of the competition (`score`, and `submission.layout`).
        oof: the predictions to score.
        is_optimistic: True if epochs were chosen on the scored folds.
        probabilities: the predictions before they became decisions or ranks, for additional metrics (`metric_input`).
            Defaults to `oof`.
    """
    metric = metric_of(facts)
    low, high = bootstrap_interval(metric, oof.targets, oof.predictions, oof.groups)
    folds = np.unique(oof.folds).tolist()
    per_fold = {}
    for fold in folds:
        in_fold = oof.folds == fold
        per_fold[str(fold)] = _rounded(metric(oof.targets[in_fold], oof.predictions[in_fold]))
    probabilities = probabilities or oof
    more_metrics = {}
    for name in facts.score.more_metrics:
        predictions = metric_input(facts, name, oof.predictions, probabilities.predictions)
        more_metrics[name] = _rounded(metric_of(facts, name)(oof.targets, predictions))
    return OofScore(
        metric=metric.name,
        value=_rounded(metric(oof.targets, oof.predictions)),
        per_fold=per_fold,
        low=_rounded(low),
        high=_rounded(high),
        num_units=len(oof.unit_ids),
        trained_folds=folds,
        is_optimistic=is_optimistic,
        more_metrics=more_metrics,
        facts=facts.model_dump(mode="json", include={"score", "submission"}),
    )


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 9)
