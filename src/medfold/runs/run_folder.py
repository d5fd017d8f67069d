"""The folder of a run: run.json, the trained folds, and their predictions."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medfold import config, files
from medfold.command_line import command, respelled, variable
from medfold.competition import Competition, Recipe, recipe_names
from medfold.console import warn
from medfold.errors import UserError, count_of, did_you_mean, shorten_list
from medfold.paths import CompetitionPaths, Workspace
from medfold.run_paths import FoldPaths, RunPaths
from medfold.scoring import oof_by_unit, oof_score

# The keys of run.json that must be equal for all folds of a run; the others are for information.
FIXED_KEYS = ("recipe", "seed", "folds", "store", "pretrained")
FIXED_FACTS = ("task", "classes", "labels.targets", "images.channels", "images.symmetry")
MAX_NAME_LENGTH = 120  # letters of the joined run names in a file name


def open_run(run_paths: RunPaths, metadata: dict[str, Any]) -> None:
    """Writes run.json with the first fold; later folds must have the same recipe, folds table and store.

    Raises:
        UserError: they differ; the differing keys are listed.
    """
    with files.lock(run_paths.metadata):
        saved = files.read_json(run_paths.metadata)
        if saved is None:
            files.write_json(metadata, run_paths.metadata, sealed=True)
            return
    before, now = _fixed_values(_with_defaults(saved)), _fixed_values(json.loads(json.dumps(metadata)))
    changed = [f"{key} was {before.get(key)}, now {now.get(key)}" for key in now if before.get(key) != now[key]]
    if before["folds"] != now["folds"]:
        what = "this run was started on another folds table, and its scores belong to that one"
        raise UserError(what, run_paths.metadata, f"Give the new run another name: {variable('RUN', 'new-name')}")
    if changed:
        fix = f"Give the new run another name: {variable('RUN', 'new-name')}"
        raise UserError(f"this run was started differently: {shorten_list(changed, 6)}", run_paths.metadata, fix)


def _with_defaults(metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns run.json of an earlier version, with defaults for recipe keys that did not exist then."""
    try:
        return {**metadata, "recipe": Recipe.model_validate(metadata["recipe"]).model_dump(mode="json")}
    except ValueError:
        return metadata


def _fixed_values(metadata: dict[str, Any]) -> dict[str, str]:
    """Returns the values that must be equal for all folds of a run, as text by flat key."""
    facts = config.flat(metadata["facts"])
    values = config.flat({key: metadata[key] for key in FIXED_KEYS}) | {key: facts[key] for key in FIXED_FACTS}
    values |= {"plugins.py": metadata.get("plugins"), "Keras backend": metadata.get("backend", "tensorflow")}
    return {key: str(value) for key, value in values.items()}


def read_run(run_paths: RunPaths) -> dict[str, Any]:
    """Reads run.json.

    Raises:
        UserError: no such run (the existing ones are listed), or a damaged file.
    """
    metadata = files.read_json(run_paths.metadata)
    if metadata is not None and not (isinstance(metadata, dict) and {"recipe", "facts", "folds"} <= set(metadata)):
        raise UserError("recipe, facts or folds are missing", run_paths.metadata, "Restore it from a backup")
    if metadata is None:
        competition = run_paths.folder.parent.name
        known = sorted(path.parent.name for path in run_paths.folder.parent.glob("*/run.json"))
        trained = f"Trained so far: {shorten_list(known, 8)}. " if known else ""
        fix = f"{trained}Run: {_first_train_command(run_paths)}"
        raise UserError(f"run '{run_paths.name}' is not trained{did_you_mean(run_paths.name, known)}", competition, fix)
    return metadata


def damaged_files(fold_paths: FoldPaths) -> list[str]:
    """Returns the files of a trained fold that are missing, or differ from their hashes in its marker.

    A fold without a marker is not trained; none of its files counts as damaged.
    """
    if not fold_paths.done.is_file():
        return []
    try:
        marker = files.read_json(fold_paths.done)
    except UserError:
        return [fold_paths.done.name]
    if not isinstance(marker, dict) or not marker:
        return [fold_paths.done.name]
    hashes = {
        name: files.sha256(fold_paths.folder / name) if (fold_paths.folder / name).is_file() else None
        for name in marker
    }
    return [name for name, digest in hashes.items() if digest != marker[name]]


def is_fold_trained(fold_paths: FoldPaths) -> bool:
    """Returns True if the fold has a marker, and every file with the hash that is in it."""
    return fold_paths.done.is_file() and not damaged_files(fold_paths)


def trained_folds(run_paths: RunPaths, k: int) -> list[int]:
    """Returns the numbers of the trained folds: those with a marker whose files are all intact."""
    return [fold for fold in range(k) if is_fold_trained(run_paths.fold(fold))]


def marked_folds(run_paths: RunPaths, k: int) -> list[int]:
    """Returns the numbers of the folds that have a marker, damaged or not."""
    return [fold for fold in range(k) if run_paths.fold(fold).done.is_file()]


def damaged_folds(run_paths: RunPaths, k: int) -> dict[int, list[str]]:
    """Returns the damaged files of each fold that has a marker and damaged files."""
    return {fold: damaged for fold in range(k) if (damaged := damaged_files(run_paths.fold(fold)))}


def require_trained_folds(run_paths: RunPaths, k: int) -> list[int]:
    """Returns the numbers of the trained folds, of which there must be at least one.

    Raises:
        UserError: none is trained, or one is damaged.
    """
    done = marked_folds(run_paths, k)
    for fold, damaged in damaged_folds(run_paths, k).items():
        what = f"{shorten_list(damaged)} {'is' if len(damaged) == 1 else 'are'} missing or changed since the training"
        fix = f"Restore a copy, or train the fold again: {_train_command(run_paths, fold)}"
        raise UserError(what, run_paths.fold(fold).folder, fix)
    if not done:
        competition = run_paths.folder.parent.name
        fix = f"Run: {_first_train_command(run_paths)}"
        raise UserError(f"run '{run_paths.name}' has no finished fold", competition, fix)
    return done


def _first_train_command(run_paths: RunPaths) -> str:
    """Returns the command that trains a run; with RECIPE if a recipe other than the baseline has the run's name."""
    competition, workspace, recipe = run_paths.folder.parent.name, Workspace(run_paths.folder.parents[2]), None
    if run_paths.name != "baseline" and competition in workspace.competitions():
        recipes = recipe_names(workspace.competition(competition), workspace.base_folder)
        recipe = run_paths.name if run_paths.name in recipes else None
    return command("train", COMPETITION=competition, RECIPE=recipe)


def _train_command(run_paths: RunPaths, fold: int) -> str:
    """Returns the command that trains a fold of a run again: the one recorded in run.json, for this fold."""
    recorded = read_run(run_paths).get("command")
    if recorded:
        return f"{respelled(recorded)} {variable('FOLD', fold)}"
    return command("train", COMPETITION=run_paths.folder.parent.name, RUN=run_paths.name, FOLD=fold)


def predictions_table(
    competition: Competition, ids: pd.Series, predictions: np.ndarray, fold: int | None = None
) -> pd.DataFrame:
    """Returns predictions as a table: id, fold (OOF only), a column per class or label, `expected` if ordinal.

    Args:
        competition: the facts (the prediction columns, and whether the task is ordinal).
        ids: (n,).
        predictions: float (n, columns).
        fold: the fold of these samples, for an OOF table. Defaults to none.
    """
    table = pd.DataFrame(predictions, columns=competition.prediction_columns)
    if competition.task == "ordinal":
        table["expected"] = predictions @ np.arange(predictions.shape[1])
    if fold is not None:
        table.insert(0, "fold", fold)
    table.insert(0, "id", ids.to_numpy())
    return table


def read_predictions(competition: Competition, path: Path) -> pd.DataFrame:
    """Reads an OOF or test table and checks its columns.

    Raises:
        UserError: a missing column, or a prediction that is not a finite number.
    """
    table = files.read_csv(path)
    for column in ("id", *competition.prediction_columns):
        if column not in table:
            fix = "It is not a table of this competition; train the fold again"
            raise UserError(f"no column '{column}'", path, fix)
    numbers = table[competition.prediction_columns].apply(pd.to_numeric, errors="coerce")
    wrong = ~np.isfinite(numbers.to_numpy(np.float64)).all(axis=1)
    if wrong.any():
        what = (
            f"{count_of(wrong.sum(), 'prediction is not a number', 'predictions are not numbers')}: "
            f"{shorten_list(table['id'][wrong])}"
        )
        raise UserError(what, path, "Train the fold again")
    return table


def is_optimistic(metadata: dict[str, Any]) -> bool:
    """Returns True if a run, by its run.json, chose epochs on the folds that it is scored on."""
    return metadata["recipe"]["training"]["keep"] == "best"


def write_oof(
    competition: Competition, run_paths: RunPaths, train: pd.DataFrame, targets: np.ndarray
) -> dict[str, Any]:
    """Concatenates the OOF tables of all trained folds, and writes oof.csv and score.json of the run.

    Args:
        competition: the facts (the number of folds, and the metrics).
        run_paths: paths of the run.
        train: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).

    Returns:
        The contents of score.json.
    """
    with files.lock(run_paths.oof):
        for fold, damaged in damaged_folds(run_paths, competition.folds.k).items():
            text = f"{shorten_list(damaged)}: missing or changed since the training; not in the score"
            warn(f"fold {fold}", f"{text}. To train it again: {_train_command(run_paths, fold)}")
        folds = trained_folds(run_paths, competition.folds.k)
        oof = pd.concat([read_predictions(competition, run_paths.fold(fold).oof) for fold in folds], ignore_index=True)
        result = oof_score(
            competition, oof_by_unit(competition, oof, train, targets), is_optimistic(read_run(run_paths))
        )
        if suspicious := self_check_warnings(run_paths, folds):
            result["suspicious"] = suspicious
        files.write_csv(oof, run_paths.oof)
        files.write_json(result, run_paths.score, sealed=True)
    return result


def self_check_warnings(run_paths: RunPaths, folds: list[int]) -> dict[str, list[str]]:
    """Returns the warnings of each fold's self-check, by fold; folds without a warning are left out."""
    warnings = {str(fold): files.read_json(run_paths.fold(fold).checks) for fold in folds}
    return {fold: lines for fold, lines in warnings.items() if lines}


def combined_name(names: list[str]) -> str:
    """Joins run names for a file name; if that is too long: the first name, the number of others, and a hash."""
    joined = "+".join(names)
    if len(joined) <= MAX_NAME_LENGTH:
        return joined
    return f"{names[0][:MAX_NAME_LENGTH]}+{len(names) - 1}-{files.fingerprint(names, 6)}"


def find_run(paths: CompetitionPaths, name: str) -> RunPaths:
    """Returns the paths of a run after checking its name.

    Raises:
        UserError: the name is not a plain folder name.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise UserError(
            "a run's name must be a plain folder name",
            variable("RUN", name),
            f"Example: {variable('RUN', 'large-images')}",
        )
    example = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")
    if re.search(r"[\s+]", name) and not paths.run(name).metadata.is_file():
        what = f"a run's name must not contain spaces or +: {variable('RUNS')} joins names with them"
        raise UserError(what, variable("RUN", name), f"Example: {variable('RUN', example)}")
    return paths.run(name)


def git_commit(root: Path) -> str | None:
    """Returns the commit of the project folder, with '+' if files differ from it; None outside git."""
    try:
        words = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        result = subprocess.run(words, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
