"""Recheck of a run: hashes of its folds, OOF tables against the folds table, scores computed again."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition
from medfold.paths import CompetitionPaths
from medfold.recheck import definitions, tables
from medfold.recheck.definitions import has_definition
from medfold.run_paths import RunPaths


def run_differences(competition: Competition, paths: CompetitionPaths, run: RunPaths) -> Iterator[str]:
    """What does not fit together in a run that has a score.json; nothing if all does.

    Args:
        competition: the facts that the run was trained and scored under.
    """
    kept = files.read_json(run.score)
    done = [number for number in range(competition.folds.k) if run.fold(number).done.is_file()]
    if kept["folds_done"] != done:
        yield f"folds_done are {done}, kept {kept['folds_done']}"
    best = files.read_json(run.metadata)["recipe"]["training"].get("keep") == "best"
    if kept["optimistic"] != best:
        yield f"optimistic is {best}, kept {kept['optimistic']}"
    pieces = []
    for fold in kept["folds_done"]:
        here = run.fold(fold)
        for name, digest in (files.read_json(here.done) or {}).items():
            path = here.folder / name
            if not path.is_file() or files.sha256(path) != digest:
                yield f"{here.folder.name}/{name} is not the file that done.json names"
        if not here.oof.is_file():
            return
        pieces.append(tables.read(here.oof))
    oof = pd.concat(pieces, ignore_index=True)
    if not run.oof.is_file() or not tables.read(run.oof).equals(oof):
        yield "oof.csv is not what the folds have"
    expected = tables.read(paths.folds).set_index("id")["fold"]
    expected = expected[expected.isin([str(fold) for fold in kept["folds_done"]])]
    found = oof.set_index("id")["fold"]
    samples = readable_samples(paths)
    known = set(samples.loc[samples["part"] == "train", "id"])
    missing = set(expected.index) & known - set(found.index)
    if not found.index.is_unique or missing or not found.equals(expected.reindex(found.index)):
        yield "oof.csv does not hold each sample once, in its fold of the folds table"
        return
    yield from score_differences(competition, paths, oof, kept, of_units=False)


def readable_samples(paths: CompetitionPaths) -> pd.DataFrame:
    """The samples whose image can be read, all cells as text."""
    samples = tables.read(paths.samples)
    if not paths.pixels.is_file():
        return samples
    known = tables.read(paths.pixels)
    return samples[~samples["id"].isin(known.loc[known["bad"] != "", "id"])]


def score_differences(
    competition: Competition,
    paths: CompetitionPaths,
    oof: pd.DataFrame,
    kept: dict[str, Any],
    of_units: bool,
    behind: pd.DataFrame | None = None,
) -> Iterator[str]:
    """Where a kept score is not that of OOF predictions.

    Args:
        oof: id, fold and prediction columns, all as text: of samples, or of units.
        kept: as score.json.
        of_units: its ids are those of units.
        behind: the probabilities behind them, of the same rows; those of the further metrics of probabilities.
    """
    samples = readable_samples(paths)
    train = samples[samples["part"] == "train"].sort_values("id")
    train = train.assign(group=tables.read(paths.folds).set_index("id")["group"].reindex(train["id"]).to_numpy())
    if not of_units:
        train = train[train["id"].isin(oof["id"])]
        oof = oof.set_index("id").loc[train["id"]].reset_index()
    names, labels = tables.by_unit(competition, train["unit"], tables.label_matrix(competition, train))
    groups = train.drop_duplicates("unit").set_index("unit")["group"]
    if of_units:
        rows = pd.Index(names).get_indexer(oof["id"])
        names, truth, fold = oof["id"].tolist(), labels[rows], oof["fold"].to_numpy()
        predictions = oof[competition.prediction_columns].to_numpy(float)
    else:
        unit = train["unit"].reset_index(drop=True)
        truth, fold = labels, oof["fold"].groupby(unit.to_numpy(), sort=False).first().loc[names].to_numpy()
        values = tables.predictions_by_unit(competition, unit, oof[competition.prediction_columns].to_numpy(float))
        predictions = values.loc[names].to_numpy()
    probabilities = predictions if behind is None else behind[competition.prediction_columns].to_numpy(float)

    def of(metric: str, here: np.ndarray) -> float:
        both_decide = metric in definitions.OF_DECISIONS and kept["metric"] in definitions.OF_DECISIONS
        main = metric == kept["metric"] or both_decide
        return definitions.score(competition, metric, truth[here], (predictions if main else probabilities)[here])

    if not has_definition(kept["metric"]):
        if kept["metric"] != competition.score.metric:
            yield f"metric is {competition.score.metric}, kept {kept['metric']}"
        return  # one of plugins.py: there is no second definition of it
    every = np.ones(len(names), bool)
    if kept["units"] != len(names):
        yield f"units are {len(names)}, kept {kept['units']}"
    yield from _unlike("value", of(kept["metric"], every), kept["value"])
    ends = definitions.interval(competition, kept["metric"], truth, predictions, groups.loc[names].to_numpy())
    for end, name in zip(ends or (), ("low", "high"), strict=False):
        yield from _unlike(name, end, kept[name])
    for what, given, expected in (
        ("per_fold", set(kept["per_fold"]), {str(number) for number in kept["folds_done"]}),
        ("per_fold", set(kept["per_fold"]), set(fold)),
        ("also", set(kept["also"]), set(competition.score.also) if "facts" in kept else set(kept["also"])),
    ):
        if given != expected:
            yield f"{what} is of {sorted(expected)}, kept {sorted(given)}"
            return
    for number, value in kept["per_fold"].items():
        yield from _unlike(f"per_fold {number}", of(kept["metric"], fold == number), value)
    for metric, value in kept["also"].items():
        if has_definition(metric):
            yield from _unlike(f"also {metric}", of(metric, every), value)


def _unlike(what: str, found: float, kept: float | None) -> Iterator[str]:
    told = None if np.isnan(found) else found
    if (told is None) != (kept is None) or (told is not None and abs(told - kept) > definitions.TOLERANCE):
        yield f"{what} is {told}, kept {kept}"
