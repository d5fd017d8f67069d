"""Recheck of a submission: its hash, its numbers recomputed from the folds' predictions, its OOF score."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit, softmax

from medfold.competition import CompetitionFacts
from medfold.earlier_versions import FORMER_PROBABILITY_PREFIX, PROBABILITY_PREFIX
from medfold.errors import UserError
from medfold.paths import CompetitionPaths, SubmissionPaths
from medfold.recheck import definitions, tables
from medfold.recheck.differences import DAMAGED_FILE_ERRORS
from medfold.recheck.run_check import labelled_units, score_differences
from medfold.system.hashes import sha256
from medfold.text import count_of

MAX_ROUNDING = 1e-9  # numbers are written with nine digits


def submission_differences(
    facts: CompetitionFacts, paths: CompetitionPaths, root: Path, file: Path, record: dict[str, Any]
) -> Iterator[str]:
    """Yields the inconsistencies of a submission; none if everything agrees.

    Args:
        facts: facts of the competition that its runs were trained with.
        paths: paths of the sample table, the folds table and the files for this check.
        root: the project folder, to which recorded paths are relative.
        file: the submission. The folder recheck/ beside it holds the fitted ensemble (.npz) and the OOF predictions of
            the score (.csv, or .npz of many columns).
        record: contents of the JSON file beside the submission.
    """
    if sha256(file) != record["sha256"]:
        yield "it is not the file that was checked"
    for name, digest in record["inputs"].items():
        path = root / name
        if not path.is_file() or sha256(path) != digest:
            yield f"{name} is not the file that it was made from"
            return
    if not plugin_steps(SubmissionPaths(file).recheck_parameters):
        yield from _number_differences(facts, paths, root, file, record)
    if (folds := sorted(_folds_of(record))) != record["score"]["trained_folds"]:
        yield f"trained_folds are {folds}, saved {record['score']['trained_folds']}"
    oof = tables.read(SubmissionPaths(file).recheck_oof)
    columns = facts.prediction_columns
    is_current = f"{PROBABILITY_PREFIX}{columns[0]}" in oof
    prefix = PROBABILITY_PREFIX if is_current else FORMER_PROBABILITY_PREFIX
    probabilities = oof[[f"{prefix}{name}" for name in columns]].to_numpy(float)
    yield from score_differences(facts, labelled_units(facts, paths, oof), record["score"], probabilities)


def ledger_differences(row: dict[str, str], record: dict[str, Any]) -> Iterator[str]:
    """Yields the differences between a row of the ledger and the record beside the submission.

    Args:
        row: the row of the ledger, all cells as text.
        record: the .json beside the file.
    """
    score = record["score"]
    expected = {"runs": " ".join(record["runs"]), "sha256": record["sha256"], "metric": score["metric"]}
    expected["trained_folds"] = " ".join(map(str, score["trained_folds"]))
    for name, key in (("oof", "value"), ("oof_low", "low"), ("oof_high", "high")):
        expected[name] = "" if score[key] is None else f"{score[key]:.6f}"
    for name in ("public", "private"):
        expected[name] = "" if record.get(name) is None else f"{record[name]:.6f}"
    for name, value in expected.items():
        if row[name] != value:
            in_ledger, in_record = row[name] or "empty", value or "empty"
            yield f"{name} is {in_ledger} in submissions/ledger.csv, {in_record} in the record beside the file"


def _folds_of(record: dict[str, Any]) -> set[int]:
    """Returns the folds whose files a submission was made from."""
    return {int(match[1]) for name in record["inputs"] if (match := re.search(r"/fold(\d+)/[^/]+$", name))}


def _number_differences(
    facts: CompetitionFacts, paths: CompetitionPaths, root: Path, file: Path, record: dict[str, Any]
) -> Iterator[str]:
    """Yields differences between the numbers of a submission and numbers computed from the folds' predictions."""
    unit = tables.read(paths.samples).set_index("id")["unit"]
    stacked = []
    for name in record["runs"]:
        of_run = [root / path for path in record["inputs"] if f"/{name}/fold" in path]
        folds = [path for path in of_run if path.stem == "test"]
        if not folds:
            yield f"the inputs of the submission have no test predictions of run '{name}'"
            return
        fold_tables = [tables.read(path).set_index("id")[facts.prediction_columns].astype(float) for path in folds]
        mean = sum(table.loc[fold_tables[0].index] for table in fold_tables) / len(fold_tables)
        missing = mean.index.difference(unit.index)
        if facts.score.unit and len(missing):
            yield (
                f"{count_of(len(missing), 'image is', 'images are')} no longer in the test set, such as "
                f"{missing[0]}: not recomputed"
            )
            return
        units = unit.reindex(mean.index).fillna(mean.index.to_series())  # without score.unit every image is a unit
        stacked.append(tables.predictions_by_unit(facts, units, mean.to_numpy()))
    stack = np.stack([table.loc[stacked[0].index].to_numpy() for table in stacked])
    expected = pd.DataFrame(
        _apply(SubmissionPaths(file).recheck_parameters, stack), stacked[0].index, facts.prediction_columns
    )
    written = tables.cells(facts, tables.read(file), record.get("class_words"))
    unpredicted = written.index.difference(expected.index)
    expected = pd.concat(
        [expected, pd.DataFrame([record["fallback"]] * len(unpredicted), unpredicted, facts.prediction_columns)]
    )
    expected = expected.loc[written.index].to_numpy()
    if record["holds_decisions"]:
        expected = definitions.decide(facts, expected)
    distance = np.abs(expected - written.to_numpy()).max(axis=1)
    if (distance > MAX_ROUNDING).any():
        row = int(np.argmax(distance))
        num_rows = int((distance > MAX_ROUNDING).sum())
        yield (
            f"{count_of(num_rows, 'row differs', 'rows differ')} from the folds' predictions; "
            f"{written.index[row]} differs by {distance[row]:.2g}"
        )


def plugin_steps(fitted: Path) -> list[str]:
    """Returns the names of an ensemble's functions that are not defined here, since they are from a plugins.py.

    Raises:
        UserError: the file is damaged.
    """
    try:
        with np.load(fitted) as content:
            return [name for name in json.loads(str(content["steps"])) if name not in STEPS]
    except DAMAGED_FILE_ERRORS as error:
        raise UserError(f"damaged ({type(error).__name__})", fitted, "Restore it from a backup") from None


def _apply(fitted: Path, values: np.ndarray) -> np.ndarray:
    """Applies the saved functions of an ensemble to predictions float (members, n, columns)."""
    with np.load(fitted) as content:
        for number, name in enumerate(json.loads(str(content["steps"]))):
            parameters = {
                key.partition(" ")[2]: content[key] for key in content.files if key.partition(" ")[0] == str(number)
            }
            values = STEPS[name](values, **parameters)
    return values


def _logits(p: np.ndarray, exclusive: bool) -> np.ndarray:
    """Returns logits; log probabilities for exclusive classes."""
    clipped = np.clip(p, 1e-7, 1 - 1e-7)
    return np.log(clipped) if exclusive else logit(clipped)


def _probabilities(logits: np.ndarray, exclusive: bool) -> np.ndarray:
    """Returns the probabilities of logits: by softmax for exclusive classes, else by sigmoid."""
    return softmax(logits, axis=-1) if exclusive else expit(logits)


def _sum_to_one(values: np.ndarray, exclusive: bool) -> np.ndarray:
    return values / values.sum(axis=-1, keepdims=True) if exclusive else values


def _rank_mean(stack: np.ndarray, ordered: np.ndarray, exclusive: bool) -> np.ndarray:
    """Returns the mean over members of the share of reference predictions that are lower; ties count half."""
    ranks = np.empty_like(stack)
    for member, column in np.ndindex(stack.shape[0], stack.shape[2]):
        reference, values = np.sort(ordered[member, :, column]), stack[member, :, column]
        lower, not_higher = (
            np.searchsorted(reference, values, "left"),
            np.searchsorted(reference, values, "right"),
        )
        ranks[member, :, column] = (lower + 0.5 * (not_higher - lower) + 0.5) / (len(reference) + 1)
    return _sum_to_one(ranks.mean(axis=0), exclusive)


def _weighted_columns(stack: np.ndarray, weights: np.ndarray, exclusive: bool) -> np.ndarray:
    return _sum_to_one(sum(w * values for w, values in zip(weights, stack, strict=True)), exclusive)


def _stacked_classes(stack: np.ndarray, slopes: np.ndarray, offsets: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Applies a logistic regression of the members' logits, over all classes."""
    logits = np.hstack([_logits(values, True) for values in stack]) @ slopes.T + offsets
    logits = np.hstack([np.zeros_like(logits), logits]) if len(classes) == 2 else logits
    probabilities = np.zeros(stack.shape[1:])
    probabilities[:, classes] = softmax(logits, axis=1)
    return probabilities


def _stacked_labels(stack: np.ndarray, slopes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Applies a logistic regression of the members' logits to each label; nan slopes keep the mean."""
    probabilities = stack.mean(axis=0)
    for label, slope in enumerate(slopes):
        if not np.isnan(slope[0]):
            probabilities[:, label] = expit(_logits(stack[:, :, label], False).T @ slope + offsets[label])
    return probabilities


def _apply_thresholds(p: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Maps each column's threshold to one half, linearly on both sides."""
    return np.stack([np.interp(p[:, column], [0, t, 1], [0, 0.5, 1]) for column, t in enumerate(thresholds)], axis=1)


def _apply_cut_points(p: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Decides an ordinal grade by cut points on the expected grade."""
    grade = (p @ np.arange(len(cuts) + 1))[:, None] >= cuts
    return np.eye(len(cuts) + 1)[grade.sum(axis=1)]


def _apply_sharpening(p: np.ndarray, slope: float, offset: float) -> np.ndarray:
    return expit(slope * (_logits(p, False) - offset))


# The functions of predictions, by the names that a fitted ensemble is saved with.
STEPS: dict[str, Callable[..., np.ndarray]] = {
    "mean_of": lambda stack: stack.mean(axis=0),
    "geometric_mean_of": lambda stack, exclusive: _probabilities(_logits(stack, exclusive).mean(axis=0), exclusive),
    "rank_mean_of": _rank_mean,
    "weighted_mean_of": lambda stack, weights: sum(w * values for w, values in zip(weights, stack, strict=True)),
    "weighted_columns_of": _weighted_columns,
    "stacked_classes": _stacked_classes,
    "stacked_labels": _stacked_labels,
    "tempered": lambda p, temperature, exclusive: _probabilities(_logits(p, exclusive) / temperature, exclusive),
    "moved": _apply_thresholds,
    "cut": _apply_cut_points,
    "weighed": lambda p, factors: _sum_to_one(p * factors, True),
    "sharpened": _apply_sharpening,
}
