"""Runs: what decides one, which of its folds are done, and their predictions together."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medfold import config, files
from medfold.competition import Competition, Recipe
from medfold.errors import UserError, shorten_list
from medfold.paths import CompetitionPaths
from medfold.run_paths import FoldPaths, RunPaths
from medfold.scoring import oof_by_unit, oof_score

# What a fold must share with the run it belongs to; the rest of run.json is for the record.
BINDING = ("recipe", "seed", "folds", "store", "pretrained")
LONGEST = 120  # letters of the names of runs in a file's name
BINDING_FACTS = ("task", "classes", "labels.targets", "images.channels", "images.symmetry")


def open_run(paths: RunPaths, origin: dict[str, Any]) -> None:
    """Writes run.json with the first fold; later folds must be of the same recipe, folds table and store.

    Raises:
        UserError: they differ; the differing lines are shown.
    """
    with files.lock(paths.metadata):
        kept = files.read_json(paths.metadata)
        if kept is None:
            files.write_json(origin, paths.metadata)
            return
    before, now = _binding(_completed(kept)), _binding(json.loads(json.dumps(origin)))
    changed = [f"{key} was {before.get(key)}, now {now.get(key)}" for key in now if before.get(key) != now[key]]
    if before["folds"] != now["folds"]:
        what = "this run was begun on another folds table, and its scores are of that one"
        raise UserError(what, paths.metadata, "Give the new one a name of its own: RUN=name")
    if changed:
        fix = "Give the new one a name of its own: RUN=name"
        raise UserError(f"this run was begun differently: {shorten_list(changed, 6)}", paths.metadata, fix)


def _completed(origin: dict[str, Any]) -> dict[str, Any]:
    """run.json of an earlier version, with the defaults of recipe keys that it did not know yet."""
    try:
        return {**origin, "recipe": Recipe.model_validate(origin["recipe"]).model_dump(mode="json")}
    except ValueError:
        return origin


def _binding(origin: dict[str, Any]) -> dict[str, str]:
    facts = config.flat(origin["facts"])
    found = config.flat({key: origin[key] for key in BINDING}) | {key: facts[key] for key in BINDING_FACTS}
    found |= {"plugins.py": origin.get("plugins"), "Keras backend": origin.get("backend", "tensorflow")}
    return {key: str(value) for key, value in found.items()}


def read_run(paths: RunPaths) -> dict[str, Any]:
    """run.json.

    Raises:
        UserError: no such run; those that are there are named.
    """
    origin = files.read_json(paths.metadata)
    if origin is not None and not (isinstance(origin, dict) and {"recipe", "facts", "folds"} <= set(origin)):
        raise UserError("it does not tell what the run was trained by", paths.metadata, "Bring back a copy of it")
    if origin is None:
        competition = paths.folder.parent.name
        known = sorted(path.parent.name for path in paths.folder.parent.glob("*/run.json"))
        trained = f"Trained so far: {shorten_list(known, 8)}. " if known else ""
        fix = f"{trained}Run: make train COMPETITION={competition}"
        raise UserError(f"run '{paths.name}' is not trained", competition, fix)
    return origin


def is_fold_done(paths: FoldPaths) -> bool:
    """True if every file of the fold is there, as its marker says."""
    try:
        marker = files.read_json(paths.done)
    except UserError:  # it broke off
        return False
    if not isinstance(marker, dict) or not marker:
        return False
    return all((paths.folder / name).is_file() and files.sha256(paths.folder / name) == marker[name] for name in marker)


def done_folds(paths: RunPaths, k: int) -> list[int]:
    """The numbers of the folds that are done."""
    return [fold for fold in range(k) if is_fold_done(paths.fold(fold))]


def trained_folds(paths: RunPaths, k: int) -> list[int]:
    """The same, of a run that is of use only if it has any.

    Raises:
        UserError: none is done.
    """
    done = done_folds(paths, k)
    if not done:
        competition = paths.folder.parent.name
        fix = f"Run: make train COMPETITION={competition}"
        raise UserError(f"run '{paths.name}' has no finished fold", competition, fix)
    return done


def predictions_table(
    competition: Competition, ids: pd.Series, predictions: np.ndarray, fold: int | None = None
) -> pd.DataFrame:
    """Predictions as a table: id, fold (OOF only), a column per class or label; for ordinal tasks also `expected`.

    Args:
        competition: names the columns.
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
    """An OOF or test table, with its columns checked.

    Raises:
        UserError: a missing column, or a prediction that is no number.
    """
    table = files.read_csv(path)
    for column in ("id", *competition.prediction_columns):
        if column not in table:
            raise UserError(f"no column '{column}'", path, "It is not a table of this competition; train the fold anew")
    numbers = table[competition.prediction_columns].apply(pd.to_numeric, errors="coerce")
    wrong = ~np.isfinite(numbers.to_numpy(np.float64)).all(axis=1)
    if wrong.any():
        what = f"{wrong.sum()} predictions are no numbers: {shorten_list(table['id'][wrong])}"
        raise UserError(what, path, "Train the fold anew")
    return table


def is_optimistic(origin: dict[str, Any]) -> bool:
    """True if a run, by its run.json, chose epochs on the folds that it is scored on."""
    return origin["recipe"]["training"]["keep"] == "best"


def write_oof(competition: Competition, paths: RunPaths, truth: pd.DataFrame, targets: np.ndarray) -> dict[str, Any]:
    """Joins the OOF tables of all folds that are done, and writes oof.csv and score.json of the run.

    Args:
        competition: names metric and columns.
        paths: of the run.
        truth: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: int (n,) or (n, labels).

    Returns:
        The contents of score.json.
    """
    with files.lock(paths.oof):
        folds = done_folds(paths, competition.folds.k)
        oof = pd.concat([read_predictions(competition, paths.fold(fold).oof) for fold in folds], ignore_index=True)
        result = oof_score(competition, oof_by_unit(competition, oof, truth, targets), is_optimistic(read_run(paths)))
        if suspicious := self_check_findings(paths, folds):
            result["suspicious"] = suspicious
        files.write_csv(oof, paths.oof)
        files.write_json(result, paths.score)
    return result


def self_check_findings(paths: RunPaths, folds: list[int]) -> dict[str, list[str]]:
    """What the self-check of each fold found, by fold; folds without a finding are left out."""
    found = {str(fold): files.read_json(paths.fold(fold).checks) for fold in folds}
    return {fold: lines for fold, lines in found.items() if lines}


def combined_name(names: list[str]) -> str:
    """Names of runs as part of a file's name; of many the first, how many more, and a hash."""
    joined = "+".join(names)
    return joined if len(joined) <= LONGEST else f"{names[0][:LONGEST]}+{len(names) - 1}-{files.fingerprint(names, 6)}"


def find_run(paths: CompetitionPaths, name: str) -> RunPaths:
    """The paths of a run, its name checked.

    Raises:
        UserError: a name that is no plain folder name.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise UserError("a run's name is a plain folder name", f"RUN={name}")
    if re.search(r"[\s+]", name) and not paths.run(name).metadata.is_file():
        raise UserError("a run's name has no spaces and no +: RUNS= joins names by them", f"RUN={name}")
    return paths.run(name)


def git_commit(root: Path) -> str | None:
    """The commit of the project folder, with '+' if files differ from it; None outside git."""
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
