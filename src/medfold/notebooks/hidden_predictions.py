"""The hidden test set: read once, image after image, asked of all folds of all runs, in bounded memory and time."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import recipe
from medfold.competition.facts import Competition
from medfold.console import Meter, minutes, say, warn
from medfold.data import samples
from medfold.ensemble import fold_mean, methods
from medfold.images.image_batches import read_batches
from medfold.notebooks.bundle import Member, SubmissionBundle
from medfold.notebooks.time_budget import Level, TimeBudget
from medfold.scoring import aggregation, thresholds
from medfold.submission import table as submission
from medfold.submission.check import check_submission
from medfold.submission.table import build_submission, fill_missing

if TYPE_CHECKING:
    from medfold.prediction.predictor import Predictor

REGISTERED = (methods, thresholds)  # imported for the maps that an ensemble names
BATCH = 64  # images at a time: as many as a predictor takes at once
NAMED = 5  # unreadable images in the log


def predict_hidden_test(bundle: SubmissionBundle, inputs: Path | str, out: Path | str, hours: float) -> pd.DataFrame:
    """Predicts the test set that is attached, however many images it has now, and writes the submission, checked.

    Args:
        bundle: what predicts.
        inputs: the folder that data sets are mounted in.
        out: the file to write.
        hours: that this may take; folds and views are given up rather than that it takes longer.

    Returns:
        The submission.

    Raises:
        UserError: no data, or no table of the test part.
    """
    began, competition, seconds = time.monotonic(), bundle.competition, 3600 * hours
    raw = bundle.data(inputs)
    test, sample = samples.test_part(competition, raw)
    names = test["unit"].unique().tolist()
    say("test", f"{len(test):,} images of {len(names):,} units in {raw}")
    runs = [_Run.load(competition, member) for member in bundle.members]
    most = Level(max(len(run.predictors) for run in runs), max(run.predictors[0].count for run in runs))
    left = seconds - (time.monotonic() - began)
    budget = TimeBudget(left, len(test), *most, cost=lambda level: sum(run.cost(level) for run in runs))
    predicted, unreadable = _predicted(competition, raw, test["image"].tolist(), runs, budget)
    _tell_unreadable(test, unreadable)
    late = len(test) - int(predicted[0][1].sum()) - len(unreadable)
    if late:
        warn("time", f"{late:,} images were not reached in {minutes(seconds)}")

    found = _put_together(bundle, test, predicted)
    without = "no readable image" if not late else "no readable image, or were not reached"
    found = fill_missing(competition, found, names, np.array(bundle.about["nothing"]), without)
    sample = submission.fit_sample(competition, sample, names)
    result = build_submission(competition, found, sample)
    check_submission(competition, result, sample)
    files.write_csv(result, Path(out))
    say("submission", f"{len(result):,} rows, checked -> {out}, {minutes(time.monotonic() - began)}")
    return result


@dataclass(frozen=True)
class _Run:
    """The folds of a run, ready to be asked."""

    options: recipe.Images
    predictors: list["Predictor"]

    @classmethod
    def load(cls, competition: Competition, member: Member) -> "_Run":
        from medfold.prediction.predictor import Predictor
        from medfold.prediction.weights import load_model

        nets = [load_model(competition, member.recipe, weights) for weights in member.weights]
        tta, symmetry = member.recipe.tta, competition.images.symmetry
        predictors = [Predictor(net, symmetry, tta, batch_size=BATCH) for net in nets]
        size = member.recipe.images.size
        for predictor in predictors:  # compiled now, so that the first images tell the pace of the others
            predictor(np.zeros((1, size, size, competition.images.depth), np.uint8), np.arange(1), count=1)
        return cls(member.recipe.images, predictors)

    def cost(self, level: Level) -> int:
        return min(level.folds, len(self.predictors)) * min(level.views, self.predictors[0].count)

    def __call__(self, pixels: np.ndarray, level: Level) -> np.ndarray:
        """The mean of the folds, float64 (images, columns): each to 9 digits, as a fold's test.csv has it."""
        rows, folds = np.arange(len(pixels)), self.predictors[: level.folds]
        each = [_as_written(predictor(pixels, rows, count=level.views)) for predictor in folds]
        return fold_mean.weighted_sum(each, [1.0] * len(each))


def _put_together(
    bundle: SubmissionBundle, test: pd.DataFrame, predicted: list[tuple[np.ndarray, np.ndarray]]
) -> pd.DataFrame:
    """What the ensemble says of the units that any image was read of: id and prediction columns."""
    columns, unit, tables = bundle.competition.columns, test.set_index("id")["unit"], []
    for values, there in predicted:
        table = pd.DataFrame(values[there], columns=columns)
        table.insert(0, "id", test["id"].to_numpy()[there])
        if table.empty:
            return table
        tables.append(aggregation.join_predictions(bundle.competition, table, unit))
    stack = np.stack([table[columns].to_numpy(np.float64) for table in tables])
    found = pd.DataFrame(bundle.fitted.apply(stack), columns=columns)
    found.insert(0, "id", tables[0]["id"])
    return found


def _as_written(values: np.ndarray) -> np.ndarray:
    return np.char.mod("%.9g", values).astype(np.float64)


def _predicted(
    competition: Competition, raw: Path, images: list[str], runs: list[_Run], budget: TimeBudget
) -> tuple[list[tuple[np.ndarray, np.ndarray]], dict[int, str]]:
    """What each run says: float64 (images, columns), and bool (images,) of those it was asked of; and, by position, why
    others cannot be read.
    """
    options: list[recipe.Images] = []
    for run in runs:
        if run.options not in options:
            options.append(run.options)
    values = [np.zeros((len(images), len(competition.columns))) for _ in runs]
    there, unreadable = np.zeros(len(images), bool), {}
    with Meter("predict", len(images), 0, "images") as meter:
        for rows, pixels, bad in read_batches(raw, images, competition.images, options, BATCH):
            level = budget.next()
            if level is None:
                break
            unreadable |= bad
            began = time.monotonic()
            for run, result in zip(runs, values, strict=True):
                if len(rows):
                    result[rows] = run(pixels[options.index(run.options)], level)
            there[rows] = True
            budget.done(len(rows) + len(bad), time.monotonic() - began)
            meter.advance(len(rows) + len(bad))
    return [(result, there) for result in values], unreadable


def _tell_unreadable(test: pd.DataFrame, unreadable: dict[int, str]) -> None:
    for position, reason in list(unreadable.items())[:NAMED]:
        warn("unreadable", f"{test['image'].iloc[position]}: {reason}")
    if len(unreadable) > NAMED:
        warn("unreadable", f"and {len(unreadable) - NAMED:,} more")
