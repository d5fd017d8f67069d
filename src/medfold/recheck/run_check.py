"""Recheck of a run: hashes of its folds, its OOF tables against the folds table, its scores recomputed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.earlier_versions import MEASUREMENTS, SCORE, current_by_former
from medfold.paths import CompetitionPaths, FoldPaths, RunPaths
from medfold.recheck import definitions, tables
from medfold.recheck.definitions import has_definition
from medfold.system import json_files
from medfold.system.hashes import sha256


def run_differences(facts: CompetitionFacts, paths: CompetitionPaths, run_paths: RunPaths) -> Iterator[str]:
    """Yields the inconsistencies of a run that has a score.json; none if everything agrees.

    Args:
        facts: facts of the competition that the run was trained and scored with.
        paths: paths of the sample table, the measurements and the folds table.
        run_paths: paths of the run.
    """
    saved = json_files.read(run_paths.score, SCORE)
    yield from _trained_fold_differences(facts, run_paths, saved)
    trained = [run_paths.fold(number) for number in saved["trained_folds"]]
    for fold_paths in trained:
        yield from _hash_differences(fold_paths)
    if not all(fold_paths.oof.is_file() for fold_paths in trained):
        return
    oof = pd.concat([tables.read(fold_paths.oof) for fold_paths in trained], ignore_index=True)
    if not run_paths.oof.is_file() or not _is_same_table(tables.read(run_paths.oof), oof):
        yield f"{run_paths.oof.name} differs from the {trained[0].oof.name} of the folds"
    if not _has_each_sample_once(paths, oof, saved["trained_folds"]):
        yield f"{run_paths.oof.name} does not have each sample exactly once, in its fold of the folds table"
        return
    yield from score_differences(facts, units_of_samples(facts, paths, oof), saved)


def _trained_fold_differences(facts: CompetitionFacts, run_paths: RunPaths, saved: dict[str, Any]) -> Iterator[str]:
    """Yields what score.json says otherwise than run.json and the markers of the folds."""
    trained = [number for number in range(facts.folds.k) if run_paths.fold(number).trained_marker.is_file()]
    missing_markers = [
        run_paths.fold(number).trained_marker for number in saved["trained_folds"] if number not in trained
    ]
    for path in missing_markers:
        yield f"{path.parent.name}/{path.name} is missing"
    if saved["trained_folds"] != trained and not missing_markers:
        yield f"trained_folds are {trained}, saved {saved['trained_folds']}"
    is_optimistic = json_files.read(run_paths.metadata)["recipe"]["training"].get("keep") == "best"
    if saved["is_optimistic"] != is_optimistic:
        yield f"is_optimistic is {is_optimistic}, saved {saved['is_optimistic']}"


def _hash_differences(fold_paths: FoldPaths) -> Iterator[str]:
    """Yields the files of a fold that are missing, or have other hashes than its done.json."""
    for name, digest in (json_files.read(fold_paths.trained_marker) or {}).items():
        path = fold_paths.folder / name
        if not path.is_file() or sha256(path) != digest:
            yield f"{fold_paths.folder.name}/{name} is not the file recorded in done.json"


def _is_same_table(saved: pd.DataFrame, oof: pd.DataFrame) -> bool:
    """Returns True for equal cells, or for equal numbers where some of the files hold text and others numbers."""
    has_numbers = any(pd.api.types.is_float_dtype(table.dtypes.iloc[-1]) for table in (saved, oof))
    if saved.equals(oof) or not has_numbers or list(saved.columns) != list(oof.columns) or len(saved) != len(oof):
        return saved.equals(oof)
    numbers, names = oof.columns[2:], oof.columns[:2]
    is_close = np.isclose(saved[numbers].astype(float), oof[numbers].astype(float), rtol=1e-12, atol=0)
    return saved[names].equals(oof[names]) and is_close.all()


def _has_each_sample_once(paths: CompetitionPaths, oof: pd.DataFrame, trained_folds: list[int]) -> bool:
    """Returns True if the OOF predictions have each readable sample of the trained folds once, in its fold."""
    expected = tables.read(paths.folds_table).set_index("id")["fold"]
    expected = expected[expected.isin([str(fold) for fold in trained_folds])]
    fold_of_id = oof.set_index("id")["fold"]
    samples = readable_samples(paths)
    readable = set(samples.loc[samples["part"] == "train", "id"])
    is_complete = set(expected.index) & readable <= set(fold_of_id.index)
    return fold_of_id.index.is_unique and is_complete and fold_of_id.equals(expected.reindex(fold_of_id.index))


def readable_samples(paths: CompetitionPaths) -> pd.DataFrame:
    """Returns the samples whose image can be read, all cells as text."""
    samples = tables.read(paths.samples)
    if not paths.measurements.is_file():
        return samples
    measurements = tables.read(paths.measurements).rename(columns=current_by_former(MEASUREMENTS))
    return samples[~samples["id"].isin(measurements.loc[measurements["unreadable_reason"] != "", "id"])]


class ScoredUnits(NamedTuple):
    """Units whose predictions were scored; all in the same order.

    Args:
        truth: int (units,) or (units, labels).
        predictions: float64 (units, columns).
        fold: the fold of each unit, as text (units,).
        groups: the group of each unit, as text (units,).
    """

    truth: np.ndarray
    predictions: np.ndarray
    fold: np.ndarray
    groups: np.ndarray


def units_of_samples(facts: CompetitionFacts, paths: CompetitionPaths, oof: pd.DataFrame) -> ScoredUnits:
    """Aggregates the OOF predictions of samples into units.

    Args:
        facts: facts of the competition that the predictions were scored with.
        paths: paths of the sample table and the folds table.
        oof: id, fold and prediction columns of samples, all as text.
    """
    train = _training_samples(paths)
    train = train[train["id"].isin(oof["id"])]
    oof = oof.set_index("id").loc[train["id"]].reset_index()
    names, truth = tables.by_unit(facts, train["unit"], tables.label_matrix(facts, train))
    unit = train["unit"].reset_index(drop=True)
    predictions = tables.predictions_by_unit(facts, unit, oof[facts.prediction_columns].to_numpy(float))
    fold = oof["fold"].groupby(unit.to_numpy(), sort=False).first().loc[names].to_numpy()
    return ScoredUnits(truth, predictions.loc[names].to_numpy(), fold, _group_of_unit(train).loc[names].to_numpy())


def labelled_units(facts: CompetitionFacts, paths: CompetitionPaths, oof: pd.DataFrame) -> ScoredUnits:
    """Adds labels and groups to the OOF predictions of units.

    Args:
        facts: facts of the competition that the predictions were scored with.
        paths: paths of the sample table and the folds table.
        oof: id, fold and prediction columns of units, all as text.
    """
    train = _training_samples(paths)
    names, labels = tables.by_unit(facts, train["unit"], tables.label_matrix(facts, train))
    truth = labels[pd.Index(names).get_indexer(oof["id"])]
    predictions = oof[facts.prediction_columns].to_numpy(float)
    group = _group_of_unit(train).loc[oof["id"].tolist()].to_numpy()
    return ScoredUnits(truth, predictions, oof["fold"].to_numpy(), group)


def _training_samples(paths: CompetitionPaths) -> pd.DataFrame:
    """Returns the readable training samples, sorted by id, with the groups of the folds table."""
    samples = readable_samples(paths)
    train = samples[samples["part"] == "train"].sort_values("id")
    return train.assign(group=tables.read(paths.folds_table).set_index("id")["group"].reindex(train["id"]).to_numpy())


def _group_of_unit(train: pd.DataFrame) -> pd.Series:
    return train.drop_duplicates("unit").set_index("unit")["group"]


def score_differences(
    facts: CompetitionFacts, units: ScoredUnits, saved: dict[str, Any], probabilities: np.ndarray | None = None
) -> Iterator[str]:
    """Yields the differences between a saved score and that of OOF predictions.

    Args:
        facts: facts of the competition that the predictions were scored with.
        units: the units that were scored.
        saved: the contents of score.json.
        probabilities: float64 (units, columns), from which decisions were made, for the other metrics of
            probabilities. Defaults to the predictions.
    """

    def compute(metric: str, selected: np.ndarray) -> float:
        both_need_decisions = metric in definitions.DECISION_METRICS and saved["metric"] in definitions.DECISION_METRICS
        uses_submitted = metric == saved["metric"] or both_need_decisions or probabilities is None
        values = units.predictions if uses_submitted else probabilities
        return definitions.metric_value(facts, metric, units.truth[selected], values[selected])

    if not has_definition(saved["metric"]):
        if saved["metric"] != facts.score.metric:
            yield f"metric is {facts.score.metric}, saved {saved['metric']}"
        return  # a metric of plugins.py has no second definition here
    num_units = len(units.truth)
    all_rows = np.ones(num_units, bool)
    if saved["num_units"] != num_units:
        yield f"num_units is {num_units}, saved {saved['num_units']}"
    yield from _difference("value", compute(saved["metric"], all_rows), saved["value"])
    ends = definitions.interval(facts, saved["metric"], units.truth, units.predictions, units.groups)
    for end, name in zip(ends or (), ("low", "high"), strict=False):
        yield from _difference(name, end, saved[name])
    more_metrics = set(facts.score.more_metrics if "facts" in saved else saved["more_metrics"])
    for what, saved_keys, expected in (
        ("per_fold", set(saved["per_fold"]), {str(number) for number in saved["trained_folds"]}),
        ("per_fold", set(saved["per_fold"]), set(units.fold)),
        ("more_metrics", set(saved["more_metrics"]), more_metrics),
    ):
        if saved_keys != expected:
            yield f"{what} is of {sorted(expected)}, saved {sorted(saved_keys)}"
            return
    for number, value in saved["per_fold"].items():
        yield from _difference(f"per_fold {number}", compute(saved["metric"], units.fold == number), value)
    for metric, value in saved["more_metrics"].items():
        if has_definition(metric):
            yield from _difference(f"more_metrics {metric}", compute(metric, all_rows), value)


def _difference(what: str, value: float, saved: float | None) -> Iterator[str]:
    """Yields a message if a recomputed value differs from the saved one."""
    number = None if np.isnan(value) else value
    if (number is None) != (saved is None) or (number is not None and abs(number - saved) > definitions.TOLERANCE):
        yield f"{what} is {number}, saved {saved}"
