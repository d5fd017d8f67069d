"""Recheck of a run: hashes of its folds, its OOF tables against the folds table, its scores recomputed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.earlier_versions import MEASUREMENTS, SCORE, current_by_former
from medfold.paths import CompetitionPaths
from medfold.recheck import definitions, tables
from medfold.recheck.definitions import has_definition
from medfold.run_paths import RunPaths
from medfold.system import files


def run_differences(competition: Competition, paths: CompetitionPaths, run: RunPaths) -> Iterator[str]:
    """Yields the inconsistencies of a run that has a score.json; none if everything agrees.

    Args:
        competition: the facts that the run was trained and scored with.
        paths: paths of the competition.
        run: paths of the run.
    """
    saved = files.read_json(run.score, SCORE)
    done = [number for number in range(competition.folds.k) if run.fold(number).done.is_file()]
    if saved["folds_done"] != done:
        yield f"folds_done are {done}, saved {saved['folds_done']}"
    is_optimistic = files.read_json(run.metadata)["recipe"]["training"].get("keep") == "best"
    if saved["is_optimistic"] != is_optimistic:
        yield f"is_optimistic is {is_optimistic}, saved {saved['is_optimistic']}"
    oof_tables = []
    for fold in saved["folds_done"]:
        fold_paths = run.fold(fold)
        for name, digest in (files.read_json(fold_paths.done) or {}).items():
            path = fold_paths.folder / name
            if not path.is_file() or files.sha256(path) != digest:
                yield f"{fold_paths.folder.name}/{name} is not the file recorded in done.json"
        if not fold_paths.oof.is_file():
            return
        oof_tables.append(tables.read(fold_paths.oof))
    oof = pd.concat(oof_tables, ignore_index=True)
    if not run.oof.is_file() or not tables.read(run.oof).equals(oof):
        yield "oof.csv differs from the oof.csv of the folds"
    expected = tables.read(paths.folds).set_index("id")["fold"]
    expected = expected[expected.isin([str(fold) for fold in saved["folds_done"]])]
    fold_of_id = oof.set_index("id")["fold"]
    samples = readable_samples(paths)
    readable = set(samples.loc[samples["part"] == "train", "id"])
    missing = set(expected.index) & readable - set(fold_of_id.index)
    if not fold_of_id.index.is_unique or missing or not fold_of_id.equals(expected.reindex(fold_of_id.index)):
        yield "oof.csv does not have each sample exactly once, in its fold of the folds table"
        return
    yield from score_differences(competition, paths, oof, saved, is_by_unit=False)


def readable_samples(paths: CompetitionPaths) -> pd.DataFrame:
    """Returns the samples whose image can be read, all cells as text."""
    samples = tables.read(paths.samples)
    if not paths.measurements.is_file():
        return samples
    measurements = tables.read(paths.measurements).rename(columns=current_by_former(MEASUREMENTS))
    return samples[~samples["id"].isin(measurements.loc[measurements["unreadable_reason"] != "", "id"])]


def score_differences(
    competition: Competition,
    paths: CompetitionPaths,
    oof: pd.DataFrame,
    saved: dict[str, Any],
    is_by_unit: bool,
    probabilities_table: pd.DataFrame | None = None,
) -> Iterator[str]:
    """Yields the differences between a saved score and that of OOF predictions.

    Args:
        competition: the facts that the predictions were scored with.
        paths: paths of the competition.
        oof: id, fold and prediction columns, all as text: of samples, or of units.
        saved: the contents of score.json.
        is_by_unit: True if its ids are units.
        probabilities_table: the probabilities from which decisions were made, same rows, for the other metrics of
            probabilities. Defaults to the predictions.
    """
    samples = readable_samples(paths)
    train = samples[samples["part"] == "train"].sort_values("id")
    train = train.assign(group=tables.read(paths.folds).set_index("id")["group"].reindex(train["id"]).to_numpy())
    if not is_by_unit:
        train = train[train["id"].isin(oof["id"])]
        oof = oof.set_index("id").loc[train["id"]].reset_index()
    names, labels = tables.by_unit(competition, train["unit"], tables.label_matrix(competition, train))
    groups = train.drop_duplicates("unit").set_index("unit")["group"]
    if is_by_unit:
        rows = pd.Index(names).get_indexer(oof["id"])
        names = oof["id"].tolist()
        truth = labels[rows]
        fold = oof["fold"].to_numpy()
        predictions = oof[competition.prediction_columns].to_numpy(float)
    else:
        unit = train["unit"].reset_index(drop=True)
        truth = labels
        fold = oof["fold"].groupby(unit.to_numpy(), sort=False).first().loc[names].to_numpy()
        values = tables.predictions_by_unit(competition, unit, oof[competition.prediction_columns].to_numpy(float))
        predictions = values.loc[names].to_numpy()
    probabilities = predictions
    if probabilities_table is not None:
        probabilities = probabilities_table[competition.prediction_columns].to_numpy(float)

    def compute(metric: str, selected: np.ndarray) -> float:
        both_need_decisions = metric in definitions.DECISION_METRICS and saved["metric"] in definitions.DECISION_METRICS
        uses_submitted = metric == saved["metric"] or both_need_decisions
        return definitions.metric_value(
            competition, metric, truth[selected], (predictions if uses_submitted else probabilities)[selected]
        )

    if not has_definition(saved["metric"]):
        if saved["metric"] != competition.score.metric:
            yield f"metric is {competition.score.metric}, saved {saved['metric']}"
        return  # a metric of plugins.py has no second definition here
    all_rows = np.ones(len(names), bool)
    if saved["num_units"] != len(names):
        yield f"num_units is {len(names)}, saved {saved['num_units']}"
    yield from _difference("value", compute(saved["metric"], all_rows), saved["value"])
    ends = definitions.interval(competition, saved["metric"], truth, predictions, groups.loc[names].to_numpy())
    for end, name in zip(ends or (), ("low", "high"), strict=False):
        yield from _difference(name, end, saved[name])
    more_metrics = set(competition.score.more_metrics if "facts" in saved else saved["more_metrics"])
    for what, saved_keys, expected in (
        ("per_fold", set(saved["per_fold"]), {str(number) for number in saved["folds_done"]}),
        ("per_fold", set(saved["per_fold"]), set(fold)),
        ("more_metrics", set(saved["more_metrics"]), more_metrics),
    ):
        if saved_keys != expected:
            yield f"{what} is of {sorted(expected)}, saved {sorted(saved_keys)}"
            return
    for number, value in saved["per_fold"].items():
        yield from _difference(f"per_fold {number}", compute(saved["metric"], fold == number), value)
    for metric, value in saved["more_metrics"].items():
        if has_definition(metric):
            yield from _difference(f"more_metrics {metric}", compute(metric, all_rows), value)


def _difference(what: str, value: float, saved: float | None) -> Iterator[str]:
    """Yields a message if a recomputed value differs from the saved one."""
    number = None if np.isnan(value) else value
    if (number is None) != (saved is None) or (number is not None and abs(number - saved) > definitions.TOLERANCE):
        yield f"{what} is {number}, saved {saved}"
