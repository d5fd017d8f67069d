"""Fingerprints of folds, labels and images, and checks that a run was trained on the current ones."""

import pandas as pd

from medfold.competition import Competition
from medfold.data import needs_holdout, read_samples, samples_are_fresh
from medfold.errors import UserError
from medfold.folds import folds_fingerprint
from medfold.images import read_measurements
from medfold.paths import CompetitionPaths
from medfold.project_root import display_path
from medfold.runs.checks.same_facts import check_same_facts
from medfold.runs.predictions import read_predictions
from medfold.runs.run import Run
from medfold.runs.run_json import ImagesFingerprints, RunMetadata
from medfold.runs.trained_run import TrainedRun
from medfold.system.hashes import fingerprint, sha256_of_text
from medfold.tables import read_csv
from medfold.text import shorten_list


def open_run_on_current_folds(competition: Competition, name: str) -> TrainedRun:
    """Opens a trained run, after checking that it fits the current facts and folds.

    Raises:
        UserError: no such run, other facts, a different folds table, no trained fold, or a damaged one.
    """
    run = Run.open(competition, name)
    check_same_facts(competition, run)
    if not has_same_folds(competition, run.metadata):
        fix = f"{_fix_retrain(run)}. {advice_to_restore_folds(competition.paths, run.metadata)}"
        raise UserError("the run was trained on a different folds table", run.paths.folder, fix)
    return TrainedRun.from_run(run)


def advice_to_restore_folds(paths: CompetitionPaths, metadata: RunMetadata) -> str:
    """Returns the advice to restore the folds that a run was trained on: the kept copy if there is one, else from git.

    Args:
        paths: paths of the competition.
        metadata: the contents of run.json.
    """
    folds, kept = display_path(paths.folds_table), paths.older_folds(metadata.folds_fingerprint)
    if kept.is_file():
        return f"Or restore its folds: copy {display_path(kept)} to {folds}, and the .json beside it likewise"
    return f"Or restore its {folds} from git"


def has_same_folds(competition: Competition, metadata: RunMetadata) -> bool:
    """Returns True if a run was trained on the current folds, ignoring the order of rows and line ends."""
    path = competition.paths.folds_table
    if not path.is_file():
        return False
    old_hash = sha256_of_text(
        path.read_bytes().replace(b"\r\n", b"\n").decode(errors="replace")
    )  # as older versions saved it
    return metadata.folds_fingerprint in (folds_fingerprint(competition.paths), old_hash)


def labels_fingerprint(competition: Competition) -> str | None:
    """Returns a fingerprint of the training labels, by id; None if the sample table is missing or outdated."""
    if not samples_are_fresh(competition.facts, competition.paths) or needs_holdout(competition.paths):
        return None
    table = read_samples(competition.facts, competition.paths)
    labels = table.loc[table["part"] == "train", ["id", "unit", *competition.facts.labels.targets]]
    return fingerprint(labels.sort_values("id").to_numpy(str).tolist())


def has_same_labels(metadata: RunMetadata, current_labels_fingerprint: str | None) -> bool:
    """Returns True if a run was trained on the current labels, or if this is not known.

    Args:
        metadata: the contents of run.json.
        current_labels_fingerprint: the current `labels_fingerprint`.
    """
    recorded = metadata.labels_fingerprint
    return recorded is None or current_labels_fingerprint is None or recorded == current_labels_fingerprint


def check_same_labels(competition: Competition, run: Run, current_labels_fingerprint: str | None) -> None:
    """Checks that the labels are the ones that a run was trained on, as far as this is known.

    Args:
        competition: the competition that the run belongs to, for the message.
        run: a run; its run.json holds the fingerprint of the labels.
        current_labels_fingerprint: the current `labels_fingerprint`.

    Raises:
        UserError: labels have changed since the training.
    """
    if not has_same_labels(run.metadata, current_labels_fingerprint):
        what = f"labels of the training set have changed since run '{run.name}' was trained"
        raise UserError(what, competition.paths.samples, _fix_retrain(run))


def images_fingerprints(competition: Competition) -> ImagesFingerprints | None:
    """Returns a fingerprint of the pixels by id, of training and test set; None before the images are scanned."""
    measurements = read_measurements(competition)
    if measurements is None:
        return None
    part = read_csv(competition.paths.samples).set_index("id")["part"]
    pairs = measurements[["id", "pixel_hash"]].fillna("").sort_values("id")
    parts = part.loc[pairs["id"]].to_numpy()
    train, test = (fingerprint(pairs[parts == name].to_numpy().tolist()) for name in ("train", "test"))
    return ImagesFingerprints(train=train, test=test)


def check_same_images(competition: Competition, run: TrainedRun, test: pd.DataFrame) -> None:
    """Checks that the images are the ones that a run was trained on and has predicted.

    Args:
        competition: the competition with the current images.
        run: a run; its run.json holds the fingerprints of the images.
        test: the readable samples of the test set: id.

    Raises:
        UserError: images were added or removed, or have changed under the same ids.
    """
    fix = _fix_retrain(run)
    for paths in run.fold_paths:
        predicted = set(read_predictions(competition.facts, paths.test)["id"])
        added, removed = sorted(set(test["id"]) - predicted), sorted(predicted - set(test["id"]))
        if added or removed:
            pairs = ((added, "added"), (removed, "removed"))
            changes = ", ".join(f"{len(ids):,} {what} ({shorten_list(ids)})" for ids, what in pairs if ids)
            what = f"the test set has changed since run '{run.name}' was trained: {changes}"
            raise UserError(what, run.paths.folder, fix)
    saved, now = run.metadata.images_fingerprints, images_fingerprints(competition)
    for part, name in (("train", "training set"), ("test", "test set")):
        if saved and now and getattr(saved, part) != getattr(now, part):
            what = f"images of the {name} have changed, under the same ids, since run '{run.name}' was trained"
            raise UserError(what, run.paths.folder, fix)


def _fix_retrain(run: Run) -> str:
    """Returns the advice to train a run again, by the same recipe, but under another name: its own is taken."""
    return f"Train it again under another name: {run.train_command(RUN='new-name')}"
