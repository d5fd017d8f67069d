"""Checks that a run still fits the facts, folds and images of its competition."""

from typing import Any

import pandas as pd

from medfold import config, files
from medfold.competition import Competition, Project, Recipe
from medfold.data import Dataset, load_dataset, needs_holdout, read_samples, samples_are_fresh
from medfold.errors import UserError, shorten_list
from medfold.folds import folds_fingerprint
from medfold.images import read_measurements
from medfold.runs.run_folder import done_folds, find_run, read_predictions, read_run

# The facts that decide what a net sees, what its outputs mean, and what a row of its predictions stands for.
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
SAMPLE_FACTS = ("labels.targets", "score.unit")  # those of them that the sample table is made by


def facts_of_run(project: Project, name: str) -> Competition:
    """The facts that a run was trained under; what they do not know yet is as it is today."""
    origin = read_run(find_run(project.paths, name))
    try:
        return Competition.model_validate(config.merge(project.competition.model_dump(), origin["facts"]))
    except ValueError:
        raise UserError(f"run '{name}' was trained under facts that are none today", project.paths.facts) from None


def recipe_of_run(project: Project, name: str) -> Recipe:
    """The recipe that a run was trained by."""
    return Recipe.model_validate(read_run(find_run(project.paths, name))["recipe"])


def load_dataset_for(project: Project, names: list[str]) -> Dataset:
    """The samples with folds, for commands that use runs: first the runs are seen to fit the facts.

    So an edit of the facts is named before images are looked at again because of it.

    Raises:
        UserError: as `refuse_other_facts` and `make_folds` raise it; or labels that have changed since.
    """
    for name in names:
        refuse_other_facts(project, name)
    data, labels = load_dataset(project), labels_fingerprint(project)
    for name in names:
        if not has_same_labels(read_run(find_run(project.paths, name)), labels):
            what = f"labels of the training part are others than those that run '{name}' was trained on"
            raise UserError(what, project.paths.samples, f"Train it anew: {project.command('train', RUN='name')}")
    return data


def refuse_other_facts(project: Project, name: str, keys: tuple[str, ...] = IDENTITY_FACTS) -> dict[str, Any]:
    """Sees that a run fits the facts of today.

    Args:
        keys: of the facts that must be the same. Defaults to all that decide what its predictions mean.

    Returns:
        run.json.

    Raises:
        UserError: no such run, or a fact that changed since it was trained; the key is named.
    """
    if changed := find_changed_fact(project, name, keys):
        key, before, now = changed
        told = f"trained under '{key}': {_shown(before)}, which is {_shown(now)} now"
        fix = "Change it back, or train anew under a name of its own: RUN=name"
        raise UserError(f"run '{name}' was {told}", project.paths.facts, fix)
    return read_run(find_run(project.paths, name))


def find_changed_fact(
    project: Project, name: str, keys: tuple[str, ...] = IDENTITY_FACTS
) -> tuple[str, Any, Any] | None:
    """The first fact that has changed since a run was trained: key, value then, value now; None if none has."""
    before, now = (_binding(facts) for facts in (facts_of_run(project, name), project.competition))
    return next(((key, before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key)), None)


def _binding(facts: Competition) -> dict[str, Any]:
    """The binding facts by key; classes that competition.yaml does not name have their default names."""
    return {**config.flat(facts.model_dump()), "classes": facts.class_names}


def refuse_changed_run(project: Project, name: str) -> dict[str, Any]:
    """Sees that a run fits the facts and the folds of today; returns run.json.

    Raises:
        UserError: no such run, other facts, or another folds table.
    """
    origin = refuse_other_facts(project, name)
    if not has_same_folds(project, origin):
        fix = "Train it anew (RUN=name), or bring back the folds it was trained on with git"
        raise UserError("it was trained on another folds table", find_run(project.paths, name).folder, fix)
    return origin


def refuse_other_images(project: Project, name: str, test: pd.DataFrame) -> None:
    """Sees that the images are those that a run was trained on and has predicted.

    Args:
        test: the samples of the test part that can be read: id.

    Raises:
        UserError: images were added, are gone, or are others under the same ids.
    """
    paths = find_run(project.paths, name)
    again = f"Train it anew: {project.command('train', RUN='name')}"
    for fold in done_folds(paths, project.competition.folds.k):
        predicted = set(read_predictions(project.competition, paths.fold(fold).test)["id"])
        added, gone = sorted(set(test["id"]) - predicted), sorted(predicted - set(test["id"]))
        if added or gone:
            told = f"{len(added):,} added ({shorten_list(added)})" if added else ""
            told += (", " if added and gone else "") + (f"{len(gone):,} gone ({shorten_list(gone)})" if gone else "")
            raise UserError(f"the test part has changed since run '{name}' was trained: {told}", paths.folder, again)
    kept, now = read_run(paths).get("images"), images_fingerprint(project)
    for part in ("train", "test"):
        if kept and now and kept[part] != now[part]:
            what = f"images of the {part} part are others, under the same ids, than those that run '{name}' has seen"
            raise UserError(what, paths.folder, again)


def has_same_folds(project: Project, origin: dict[str, Any]) -> bool:
    """True if a run was trained on the folds of today, whatever the order of their rows and their line ends are."""
    path = project.paths.folds
    if not path.is_file():
        return False
    of_old = files.sha256_of_text(path.read_bytes().replace(b"\r\n", b"\n").decode())  # as older versions noted them
    return origin["folds"] in (folds_fingerprint(project.paths), of_old)


def labels_fingerprint(project: Project) -> str | None:
    """A fingerprint of the labels of the training part, by id; None if there is no sample table, or an older one."""
    if not samples_are_fresh(project.competition, project.paths) or needs_holdout(project.paths):
        return None
    table = read_samples(project.competition, project.paths)
    held = table.loc[table["part"] == "train", ["id", "unit", *project.competition.labels.targets]]
    return files.fingerprint(held.sort_values("id").to_numpy(str).tolist())


def has_same_labels(origin: dict[str, Any], now: str | None) -> bool:
    """True if a run was trained on the labels of today, as far as one can tell.

    Args:
        origin: run.json.
        now: as `labels_of` gives them.
    """
    then = origin.get("labels")
    return then is None or now is None or then == now


def images_fingerprint(project: Project) -> dict[str, str] | None:
    """A fingerprint of the pixels of each part, by id; None if nothing has been measured."""
    known = read_measurements(project.competition, project.paths)
    if known is None:
        return None
    part = files.read_csv(project.paths.samples).set_index("id")["part"]
    pairs = known[["id", "hash"]].fillna("").sort_values("id")
    here = part.loc[pairs["id"]].to_numpy()
    return {name: files.fingerprint(pairs[here == name].to_numpy().tolist()) for name in ("train", "test")}


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{shorten_list([str(each) for each in value], 12)}]"
    return "not set" if value is None else str(value)
