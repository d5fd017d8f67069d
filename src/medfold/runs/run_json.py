"""run.json: what a run was started with; the folds of a run must agree in it."""

import json
import re
from typing import Annotated, Any

from pydantic import BaseModel, Field

from medfold import config
from medfold.competition import Recipe, command_without_folders, recipe_names, weights_without_folders
from medfold.earlier_versions import RUN
from medfold.errors import UserError
from medfold.paths import ProjectPaths, RunPaths
from medfold.system import json_files, locks
from medfold.terminal.command_text import command, variable
from medfold.text import did_you_mean, shorten_list

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
STORE_FACTS = ("images.windows", "images.range", "images.frame")  # the store_key depends on them
# Facts that are not compared when a fold is added to a run. The folds_fingerprint depends on folds.k. `identity`
# compares the last two when the run is used.
FACTS_COVERED_OTHERWISE = (*STORE_FACTS, "folds.k", "score.unit", "score.aggregate")
# The keys of run.json that must be equal for all folds of a run; the others are for information.
FIXED_KEYS = ("recipe", "seed", "folds_fingerprint", "store_key", "pretrained_hash")
PLUGINS = "plugins.py"


class _SymmetryFact(BaseModel):
    symmetry: str


class _FoldsFact(BaseModel):
    k: Annotated[int, Field(ge=2)]


class _Facts(BaseModel):
    folds: _FoldsFact
    images: _SymmetryFact


class _ImagesFingerprints(BaseModel):
    train: str
    test: str


class _RunJson(BaseModel):
    """The values of run.json that other modules use, by their types; it has more."""

    recipe: dict[str, Any]
    facts: _Facts
    folds_fingerprint: str
    seed: int
    store_key: str | None = None
    labels_fingerprint: str | None = None
    images_fingerprints: _ImagesFingerprints | None = None
    plugins_hash: str | None = None
    command: str | None = None
    commit: str | None = None
    versions: dict[str, Any] | None = None


# Keys of run.json without which a run cannot be read.
REQUIRED_KEYS = ("recipe", "facts.folds.k", "facts.images.symmetry", "folds_fingerprint", "seed")
# Without run.json nobody knows by which recipe its folds were trained.
RUN_JSON_FIX = "Restore it from a backup, or remove the whole folder of the run"
NONE = str(None)  # as `_fixed_values` writes a value that is absent


def record_run_start(run_paths: RunPaths, metadata: dict[str, Any]) -> None:
    """Writes run.json before the first fold; later folds must have the same recipe, folds table and store.

    Raises:
        UserError: they differ (the differing keys are listed), or run.json is damaged.
    """
    with locks.lock(run_paths.metadata):
        saved = read_saved_run_json(run_paths)
        if saved is None:
            json_files.write(metadata, run_paths.metadata, sealed=True)
            return
    before, now = _fixed_values(_with_defaults(saved)), _fixed_values(json.loads(json.dumps(metadata)))
    if before["folds_fingerprint"] != now["folds_fingerprint"]:
        what = "this run was started on another folds table, and its scores belong to that one"
        raise UserError(what, run_paths.metadata, f"Give the new run another name: {variable('RUN', 'new-name')}")
    if changed := _describe_changes(before, now, config.flat(saved["facts"]), config.flat(metadata["facts"])):
        fix = f"Give the new run another name: {variable('RUN', 'new-name')}"
        raise UserError(f"this run was started differently: {shorten_list(changed, 6)}", run_paths.metadata, fix)


def _describe_changes(
    before: dict[str, str], now: dict[str, str], facts_before: dict[str, Any], facts_now: dict[str, Any]
) -> list[str]:
    """Returns the changed values as text; for the store of images, what made it another one."""
    changed = [key for key in now if before.get(key) != now[key]]
    described = [_describe_change(key, before.get(key), now[key]) for key in changed if key != "store_key"]
    if "store_key" not in changed:
        return described
    image_facts = [
        f"{key} was {facts_before[key]}, now {facts_now[key]}"
        for key in STORE_FACTS
        if key in facts_before and facts_before[key] != facts_now[key]
    ]
    if image_facts or any(key.startswith("recipe.preparation.") for key in changed):
        return described + image_facts
    return [*described, "the raw images, or how medfold prepares them, have changed"]


def _describe_change(key: str, before: str | None, now: str) -> str:
    """Returns a changed value as text; a hash says nothing to a reader."""
    if key == "pretrained_hash":
        return "the file of backbone.weights has changed"
    if key != PLUGINS:
        return f"{key} was {before}, now {now}"
    if NONE in (before, now):
        return f"{key} was {'absent' if before == NONE else 'there'}, now it is {'absent' if now == NONE else 'there'}"
    return f"{key} has changed"


def _with_defaults(metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns run.json of an earlier version, with defaults for recipe keys that did not exist then."""
    try:
        return {**metadata, "recipe": Recipe.model_validate(metadata["recipe"]).model_dump(mode="json")}
    except ValueError:
        return metadata


def _fixed_values(metadata: dict[str, Any]) -> dict[str, str]:
    """Returns the values that must be equal for all folds of a run, as text by flat key."""
    facts = config.flat(metadata["facts"])
    values = config.flat({key: metadata.get(key) for key in FIXED_KEYS})
    values |= {key: facts.get(key) for key in IDENTITY_FACTS if key not in FACTS_COVERED_OTHERWISE}
    values |= {PLUGINS: metadata.get("plugins_hash"), "Keras backend": metadata.get("backend", "tensorflow")}
    return {key: str(value) for key, value in values.items()}


def read_run_json(run_paths: RunPaths) -> dict[str, Any]:
    """Reads run.json.

    Raises:
        UserError: no such run (the existing ones are listed), or a damaged file.
    """
    check_run_json_not_lost(run_paths)
    metadata = read_saved_run_json(run_paths)
    if metadata is None:
        known = sorted(path.parent.name for path in run_paths.folder.parent.glob("*/run.json"))
        trained = f"Trained so far: {shorten_list(known, 8)}. " if known else ""
        if _recipe_and_seed(run_paths):
            fix = f"{trained}Run: {first_train_command(run_paths)}"
        elif known:
            fix = f"{trained}Choose one of them"
        else:
            fix = f"No run is trained yet. To train one of that name: {first_train_command(run_paths)}"
        what = f"run '{run_paths.name}' is not trained{did_you_mean(run_paths.name, known)}"
        raise UserError(what, run_paths.competition, fix)
    return metadata


def check_run_json_not_lost(run_paths: RunPaths) -> None:
    """Refuses a folder with trained folds but without run.json: nobody knows how they were trained.

    Raises:
        UserError: run.json is missing, although folds are trained.
    """
    if not run_paths.metadata.is_file() and any(run_paths.folder.glob("fold*/done.json")):
        raise UserError("missing, although folds are trained", run_paths.metadata, RUN_JSON_FIX)


def read_saved_run_json(run_paths: RunPaths) -> dict[str, Any] | None:
    """Reads run.json; returns None if there is none.

    Raises:
        UserError: the file is damaged, or lacks a key.
    """
    metadata = json_files.read(run_paths.metadata, RUN, RUN_JSON_FIX)
    if metadata is None and not run_paths.metadata.is_file():
        return None
    if missing := [key for key in REQUIRED_KEYS if not _has_key(metadata, key)]:
        raise UserError(f"no key '{missing[0]}'", run_paths.metadata, RUN_JSON_FIX)
    json_files.check_schema(metadata, _RunJson, run_paths.metadata, RUN_JSON_FIX)
    return _without_folders(metadata, run_paths.name)


def _without_folders(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns run.json without folders of the machine that wrote it, which earlier versions recorded."""
    try:
        weights = metadata["recipe"]["backbone"]["weights"]
    except (KeyError, TypeError):
        return metadata
    metadata = config.merge(metadata, {"recipe": {"backbone": {"weights": weights_without_folders(str(weights))}}})
    if command_text := metadata.get("command"):
        metadata["command"] = command_without_folders(command_text, name)
    return metadata


def _has_key(content: Any, key: str) -> bool:
    """Returns True if a nested mapping has a value under a key such as `facts.folds.k`."""
    first, _, rest = key.partition(".")
    value = content.get(first) if isinstance(content, dict) else None
    return value is not None and (not rest or _has_key(value, rest))


def first_train_command(run_paths: RunPaths) -> str:
    """Returns the command that trains a run: with the recipe and seed of its name, else with RUN."""
    competition = run_paths.competition
    if not (found := _recipe_and_seed(run_paths)):
        return command("train", COMPETITION=competition, RUN=run_paths.name)
    recipe, seed = found
    return command("train", COMPETITION=competition, RECIPE=None if recipe == "baseline" else recipe, SEEDS=seed)


def _recipe_and_seed(run_paths: RunPaths) -> tuple[str, str | None] | None:
    """Returns the recipe and the seed that a run is named by; None if it has another name.

    The seed is None without the ending -s<n>: a run of seed 0.
    """
    names = _recipe_names(run_paths)
    if run_paths.name in names:
        return run_paths.name, None
    match = re.fullmatch(r"(.+)-s(\d+)", run_paths.name)
    return (match[1], match[2]) if match and match[1] in names else None


def _recipe_names(run_paths: RunPaths) -> list[str]:
    """Returns the names of the recipes of the competition of a run."""
    project_paths = ProjectPaths(run_paths.root)
    if run_paths.competition not in project_paths.competitions():
        return []
    return recipe_names(project_paths.competition(run_paths.competition))
