"""Checks that a run still fits the facts, folds, labels and images of its competition."""

from typing import Any

import pandas as pd

from medfold import config
from medfold.competition import CompetitionFacts, Project, Recipe
from medfold.data import Dataset, load_dataset, needs_holdout, read_samples, samples_are_fresh
from medfold.errors import UserError
from medfold.folds import folds_fingerprint
from medfold.images import read_measurements
from medfold.run_paths import RunPaths
from medfold.runs.predictions import read_predictions
from medfold.runs.run_json import read_run
from medfold.runs.run_names import find_run
from medfold.runs.trained_run import TrainedRun
from medfold.system.hashes import fingerprint, sha256_of_text
from medfold.tables import read_csv
from medfold.terminal.command_text import as_typed, make_command, variable
from medfold.text import shorten_list

# The facts that define the input of a net, the meaning of its outputs, and of a row of its predictions.
IDENTITY_FACTS = (
    "task",
    "classes",
    "labels.targets",
    "images.channels",
    "images.windows",
    "images.range",
    "images.frame",
    "images.symmetry",
    "score.unit",
    "score.aggregate",
    "folds.k",
)
SAMPLE_FACTS = ("labels.targets", "score.unit")  # the identity facts that the sample table depends on


def facts_of_run(project: Project, name: str) -> CompetitionFacts:
    """Returns the facts that a run was trained with; keys that are newer than the run have today's values."""
    metadata = read_run(find_run(project.paths, name))
    try:
        return CompetitionFacts.model_validate(config.merge(project.competition.model_dump(), metadata["facts"]))
    except ValueError:
        what = f"run '{name}' was trained with facts that are not valid today"
        fix = f"Train a new run under another name: {variable('RUN', 'new-name')}"
        raise UserError(what, find_run(project.paths, name).metadata, fix) from None


def recipe_of_run(project: Project, name: str) -> Recipe:
    """Returns the recipe that a run was trained with."""
    return Recipe.model_validate(read_run(find_run(project.paths, name))["recipe"])


def load_dataset_for(project: Project, run_names: list[str]) -> Dataset:
    """Loads the dataset for commands that use runs; checks first that the runs fit the facts.

    A changed fact is thus reported before images are scanned again because of the change.

    Raises:
        UserError: what `check_same_facts` and `load_dataset` raise; or the labels have changed since the training.
    """
    for name in run_names:
        check_same_facts(project, name)
    data = load_dataset(project)
    labels = labels_fingerprint(project)
    for name in run_names:
        if not has_same_labels(read_run(find_run(project.paths, name)), labels):
            what = f"labels of the training part have changed since run '{name}' was trained"
            raise UserError(what, project.paths.samples, _fix_retrain(find_run(project.paths, name)))
    return data


def check_same_facts(project: Project, name: str, keys: tuple[str, ...] = IDENTITY_FACTS) -> dict[str, Any]:
    """Checks that a run fits today's facts.

    Args:
        project: the competition with the facts of today.
        name: name of the run.
        keys: keys of the facts that must be equal. Defaults to all that define the meaning of its predictions.

    Returns:
        The contents of run.json.

    Raises:
        UserError: no such run, or a fact that has changed since it was trained; the key is named.
    """
    if changed := find_changed_fact(project, name, keys):
        key, before, now = changed
        what = f"run '{name}' was trained with '{key}': {_describe(before)}, now it is {_describe(now)}"
        fix = f"Change it back, or train a new run under another name: {variable('RUN', 'new-name')}"
        raise UserError(what, project.paths.facts_file, fix)
    return read_run(find_run(project.paths, name))


def find_changed_fact(
    project: Project, name: str, keys: tuple[str, ...] = IDENTITY_FACTS
) -> tuple[str, Any, Any] | None:
    """Returns the first fact that has changed since a run was trained, (key, value then, value now); else None."""
    before, now = (_facts_by_key(facts) for facts in (facts_of_run(project, name), project.competition))
    return next(((key, before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key)), None)


def _facts_by_key(facts: CompetitionFacts) -> dict[str, Any]:
    """Returns the facts by flat key, with default class names where competition.yaml has none."""
    return {**config.flat(facts.model_dump()), "classes": facts.class_names}


def open_current_run(project: Project, name: str) -> TrainedRun:
    """Opens a trained run that fits today's facts and folds.

    Raises:
        UserError: no such run, other facts, another folds table, no trained fold, or a damaged one.
    """
    if not has_same_folds(project, check_same_facts(project, name)):
        new_run = f"Train a new run under another name ({variable('RUN', 'new-name')})"
        fix = f"{new_run}, or restore the folds it was trained on with git"
        raise UserError("the run was trained on another folds table", find_run(project.paths, name).folder, fix)
    return TrainedRun.open(project, name)


def check_same_images(project: Project, run: TrainedRun, test: pd.DataFrame) -> None:
    """Checks that the images are those that a run was trained on and has predicted.

    Args:
        project: the competition with the images of today.
        run: the run.
        test: the readable samples of the test part: id.

    Raises:
        UserError: images were added or removed, or have changed under the same ids.
    """
    fix = _fix_retrain(run.paths)
    for fold in run.folds:
        predicted = set(read_predictions(project.competition, fold.test)["id"])
        added, removed = sorted(set(test["id"]) - predicted), sorted(predicted - set(test["id"]))
        if added or removed:
            pairs = ((added, "added"), (removed, "removed"))
            changes = ", ".join(f"{len(ids):,} {what} ({shorten_list(ids)})" for ids, what in pairs if ids)
            what = f"the test part has changed since run '{run.name}' was trained: {changes}"
            raise UserError(what, run.paths.folder, fix)
    saved, now = run.metadata.get("images_fingerprints"), images_fingerprints(project)
    for part in ("train", "test"):
        if saved and now and saved[part] != now[part]:
            what = f"images of the {part} part have changed, under the same ids, since run '{run.name}' was trained"
            raise UserError(what, run.paths.folder, fix)


def has_same_folds(project: Project, metadata: dict[str, Any]) -> bool:
    """Returns True if a run was trained on today's folds, ignoring the order of rows and line ends."""
    path = project.paths.folds
    if not path.is_file():
        return False
    old_hash = sha256_of_text(
        path.read_bytes().replace(b"\r\n", b"\n").decode(errors="replace")
    )  # as older versions saved it
    return metadata["folds_fingerprint"] in (folds_fingerprint(project.paths), old_hash)


def labels_fingerprint(project: Project) -> str | None:
    """Returns a fingerprint of the training labels, by id; None if the sample table is missing or outdated."""
    if not samples_are_fresh(project.competition, project.paths) or needs_holdout(project.paths):
        return None
    table = read_samples(project.competition, project.paths)
    labels = table.loc[table["part"] == "train", ["id", "unit", *project.competition.labels.targets]]
    return fingerprint(labels.sort_values("id").to_numpy(str).tolist())


def has_same_labels(metadata: dict[str, Any], labels_today: str | None) -> bool:
    """Returns True if a run was trained on today's labels, or if this is not known.

    Args:
        metadata: the contents of run.json.
        labels_today: `labels_fingerprint` of today.
    """
    recorded = metadata.get("labels_fingerprint")
    return recorded is None or labels_today is None or recorded == labels_today


def images_fingerprints(project: Project) -> dict[str, str] | None:
    """Returns a fingerprint of the pixels by id, for each part; None if the images were not scanned yet."""
    measurements = read_measurements(project.competition, project.paths)
    if measurements is None:
        return None
    part = read_csv(project.paths.samples).set_index("id")["part"]
    pairs = measurements[["id", "pixel_hash"]].fillna("").sort_values("id")
    parts = part.loc[pairs["id"]].to_numpy()
    return {name: fingerprint(pairs[parts == name].to_numpy().tolist()) for name in ("train", "test")}


def _fix_retrain(run_paths: RunPaths) -> str:
    """Returns the advice to train a run again, by the same recipe, but under another name: its own is taken."""
    recorded = read_run(run_paths).get("command") or make_command("train", COMPETITION=run_paths.folder.parent.name)
    return f"Train it again under another name: {as_typed(recorded, RUN='new-name')}"


def _describe(value: Any) -> str:
    """Returns a value as text for a message."""
    if isinstance(value, (list, tuple)):
        return f"[{shorten_list([str(item) for item in value], 12)}]"
    return "not set" if value is None else str(value)
