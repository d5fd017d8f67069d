"""The hidden test set: read once, image after image, asked of all folds of all runs, in bounded memory and time."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition
from medfold.console import format_duration, say, warn
from medfold.data import read_test_part
from medfold.ensemble import BATCH_SIZE, EnsemblePredictor
from medfold.images import read_batches
from medfold.notebooks.bundle import SubmissionBundle
from medfold.notebooks.time_budget import TimeBudget
from medfold.progress import progress_bar
from medfold.submission import align_sample, build_submission, check_submission, fill_missing

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
    test, sample = read_test_part(competition, raw)
    names = test["unit"].unique().tolist()
    say("test", f"{len(test):,} images of {len(names):,} units in {raw}")
    predictor = EnsemblePredictor(competition, bundle.members, bundle.fitted)
    left = seconds - (time.monotonic() - began)
    budget = TimeBudget(left, len(test), *predictor.limits, cost=predictor.cost)
    predicted, there, unreadable = _predicted(competition, raw, test["image"].tolist(), predictor, budget)
    _tell_unreadable(test, unreadable)
    late = len(test) - int(there.sum()) - len(unreadable)
    if late:
        warn("time", f"{late:,} images were not reached in {format_duration(seconds)}")

    ids, unit = test["id"].to_numpy()[there], test.set_index("id")["unit"]
    found = predictor.combine(ids, [values[there] for values in predicted], unit)
    without = "no readable image" if not late else "no readable image, or were not reached"
    found = fill_missing(competition, found, names, np.array(bundle.about["nothing"]), without)
    sample = align_sample(competition, sample, names)
    result = build_submission(competition, found, sample)
    check_submission(competition, result, sample)
    files.write_csv(result, Path(out))
    say("submission", f"{len(result):,} rows, checked -> {out}, {format_duration(time.monotonic() - began)}")
    return result


def _predicted(
    competition: Competition, raw: Path, images: list[str], predictor: EnsemblePredictor, budget: TimeBudget
) -> tuple[list[np.ndarray], np.ndarray, dict[int, str]]:
    """What each run predicts, float64 (images, columns); bool (images,) of the images that were predicted; and, by
    position, why others cannot be read.
    """
    values = [np.zeros((len(images), len(competition.prediction_columns))) for _ in range(predictor.num_runs)]
    there, unreadable = np.zeros(len(images), bool), {}
    with progress_bar("predict", len(images)) as bar:
        for rows, pixels, bad in read_batches(raw, images, competition.images, predictor.image_settings, BATCH_SIZE):
            limit = budget.next()
            if limit is None:
                break
            unreadable |= bad
            began = time.monotonic()
            if len(rows):
                for found, result in zip(predictor.predict(pixels, limit), values, strict=True):
                    result[rows] = found
            there[rows] = True
            budget.done(len(rows) + len(bad), time.monotonic() - began)
            bar.advance(len(rows) + len(bad))
    return values, there, unreadable


def _tell_unreadable(test: pd.DataFrame, unreadable: dict[int, str]) -> None:
    for position, reason in list(unreadable.items())[:NAMED]:
        warn("unreadable", f"{test['image'].iloc[position]}: {reason}")
    if len(unreadable) > NAMED:
        warn("unreadable", f"and {len(unreadable) - NAMED:,} more")
