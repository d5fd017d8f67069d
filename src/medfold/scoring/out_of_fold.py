"""The out-of-fold (OOF) score: predictions joined with truth by id, scored over all units and per fold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medfold.competition import Competition, has_known_groups
from medfold.errors import UserError, shorten_list
from medfold.scoring.aggregation import aggregate
from medfold.scoring.bootstrap import bootstrap_interval, score_and_interval_in_words, score_in_words
from medfold.scoring.metric import metric_input, metric_of, metric_title

UNKNOWN = "patients unknown: it may flatter"


def describe_score(competition: Competition, result: dict[str, Any], total: int) -> str:
    """'AUC 0.9512 (95 % interval 0.9312 to 0.9689), all 5 folds': an OOF score in words.

    Args:
        total: the number of units in all folds.
    """
    title = metric_title(competition, result["metric"])
    k, done = competition.folds.k, result["folds_done"]
    text = score_and_interval_in_words(title, result["value"], result["low"], result["high"])
    for name, value in result["also"].items():
        text += f", {metric_title(competition, name)} {score_in_words(value)}"
    covers = f"all {k} folds" if len(done) == k else f"covers {len(done)} of {k} folds"
    text += f", {covers}, {result['units']:,} of {total:,} {'units' if competition.score.unit else 'samples'}"
    text += "" if has_known_groups(competition) else f"; {UNKNOWN}"
    return text + (", OPTIMISTIC: epochs were chosen on the scored folds" if result["optimistic"] else "")


@dataclass(frozen=True)
class OofPredictions:
    """OOF predictions of units beside the truth, sorted by the ids of their first images.

    Args:
        names: text (units,).
        predictions: float64 (units, columns).
        targets: int (units,) or (units, labels).
        fold, group: int (units,).
    """

    names: np.ndarray
    predictions: np.ndarray
    targets: np.ndarray
    fold: np.ndarray
    group: np.ndarray


def oof_by_unit(
    competition: Competition, oof: pd.DataFrame, truth: pd.DataFrame, targets: np.ndarray
) -> OofPredictions:
    """OOF predictions and truth together, joined by id and sorted by it, a row for each unit.

    Args:
        oof: id, fold and prediction columns; rows in any order.
        truth: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).

    Raises:
        UserError: predictions for ids that the folds table does not have in that fold, or not for all of a fold's.
    """
    position = pd.Series(np.arange(len(truth)), index=truth["id"])
    folds = sorted(oof["fold"].unique().tolist())
    expected = truth.loc[truth["fold"].isin(folds), ["id", "fold"]]
    merged = expected.merge(oof[["id", "fold"]], how="outer", on=["id", "fold"], indicator=True)
    stray = merged.loc[merged["_merge"] != "both", "id"]
    if len(stray) or oof["id"].duplicated().any():
        raise UserError(
            f"the OOF table does not fit the folds table: {shorten_list(stray)}", "oof.csv", "Train the fold anew"
        )
    # In one order whatever that of the tables is: an interval depends on the order in which groups are drawn.
    oof = oof.sort_values("id")
    rows = position.loc[oof["id"]].to_numpy()
    joined = aggregate(
        competition,
        truth["unit"].to_numpy()[rows],
        targets[rows],
        oof[competition.prediction_columns].to_numpy(np.float64),
    )
    return OofPredictions(
        names=joined.names,
        predictions=joined.predictions,
        targets=joined.targets,
        fold=oof["fold"].to_numpy()[joined.first],
        group=truth["group"].to_numpy()[rows][joined.first],
    )


def oof_score(
    competition: Competition, oof: OofPredictions, optimistic: bool, probable: OofPredictions | None = None
) -> dict[str, Any]:
    """The OOF score: over all units, per fold, with a 95 % interval over groups.

    Args:
        oof: what is scored.
        optimistic: whether epochs were chosen on the scored folds.
        probable: the probabilities behind it, for further metrics (`metrics.seen_by`). Defaults to the same.

    Returns:
        metric, value, per_fold, low, high, units, folds_done, optimistic, `also`: further metrics, and `facts`: how it
        is scored. Undefined values are None.
    """
    metric = metric_of(competition)
    low, high = bootstrap_interval(metric, oof.targets, oof.predictions, oof.group)
    folds, per_fold = np.unique(oof.fold).tolist(), {}
    for fold in folds:
        here = oof.fold == fold
        per_fold[str(fold)] = _number(metric(oof.targets[here], oof.predictions[here]))
    probable, also = probable or oof, {}
    for name in competition.score.also:
        seen = metric_input(competition, name, oof.predictions, probable.predictions)
        also[name] = _number(metric_of(competition, name)(oof.targets, seen))
    return {
        "metric": metric.name,
        "value": _number(metric(oof.targets, oof.predictions)),
        "per_fold": per_fold,
        "low": _number(low),
        "high": _number(high),
        "units": len(oof.names),
        "folds_done": folds,
        "optimistic": optimistic,
        "also": also,
        # What it was computed under, for those who compute it again: the facts may be others by then.
        "facts": competition.model_dump(mode="json", include={"score", "submission"}),
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 9)
