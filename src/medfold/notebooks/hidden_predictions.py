"""Predicts the hidden test set in the notebook: one pass over the images on all GPUs, in bounded memory and time."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.data import read_test_set
from medfold.new_images import EnsemblePredictor, TimeBudget, predict_images
from medfold.notebooks.submission_bundle import SubmissionBundle
from medfold.submission import checked_submission, describe_missing
from medfold.system import hardware
from medfold.tables import write_csv
from medfold.terminal.console import format_duration, say, warn
from medfold.text import count_of

MAX_REPORTED = 5  # unreadable images in the log


def predict_hidden_test(bundle: SubmissionBundle, inputs: Path | str, out: Path | str, hours: float) -> pd.DataFrame:
    """Predicts the attached test set, of any size, and writes the checked submission.

    Args:
        bundle: opened bundle with the trained folds.
        inputs: folder below which Kaggle mounts the attached data.
        out: path of the submission to write.
        hours: time limit, in hours; if needed, folds and test-time views are left out to meet it.

    Returns:
        The submission.

    Raises:
        UserError: the data is not attached, or has no table of the test set.
    """
    began = time.monotonic()
    facts = bundle.facts
    time_limit = 3600 * hours
    raw = bundle.data_folder(inputs)
    test, sample_submission = read_test_set(facts, raw)
    units = test["unit"].unique().tolist()
    say("test", f"{count_of(len(test), 'image')} of {count_of(len(units), 'unit')} in {raw}")
    with EnsemblePredictor(facts, bundle.members, bundle.fitted, gpus=hardware.cuda_devices()) as predictor:
        seconds_left = time_limit - (time.monotonic() - began)
        budget = TimeBudget(seconds_left, len(test), predictor.limits, predictor.cost)
        predicted = predict_images(facts, predictor, raw, test["image"].tolist(), budget)
    _warn_unreadable(test, predicted.unreadable)
    num_missed = len(test) - int(predicted.is_predicted.sum()) - len(predicted.unreadable)
    if num_missed:
        warn("time", f"{count_of(num_missed, 'image was', 'images were')} not reached in {format_duration(time_limit)}")

    ids = test["id"].to_numpy()[predicted.is_predicted]
    unit_by_id = test.set_index("id")["unit"]
    predictions = predictor.combine(ids, predicted.run_predictions, unit_by_id)
    reason = "no readable image" if not num_missed else "no readable image, or were not reached"
    fallback = np.array(bundle.manifest.fallback)
    if text := describe_missing(predictions, units, fallback, reason):
        warn("submit", text)
    result = checked_submission(facts, predictions, sample_submission, units, fallback).table
    write_csv(result, Path(out))
    say("submission", f"{count_of(len(result), 'row')}, checked -> {out}, {format_duration(time.monotonic() - began)}")
    return result


def _warn_unreadable(test: pd.DataFrame, unreadable: dict[int, str]) -> None:
    for position, reason in list(unreadable.items())[:MAX_REPORTED]:
        warn("unreadable", f"{test['image'].iloc[position]}: {reason}")
    if len(unreadable) > MAX_REPORTED:
        warn("unreadable", f"and {len(unreadable) - MAX_REPORTED:,} more")
