"""Checks that later folds of a run are trained with the recipe, seed, folds and images that run.json records."""

from typing import Any

from medfold import config
from medfold.competition import Recipe
from medfold.errors import UserError
from medfold.paths import ProjectPaths, RunPaths
from medfold.runs import (
    IDENTITY_FACTS,
    RunMetadata,
    advice_to_restore_folds,
    read_saved_run_json,
    write_run_json,
)
from medfold.system import locks
from medfold.terminal.command_text import variable
from medfold.text import shorten_list

STORE_FACTS = ("images.windows", "images.range", "images.frame")  # the store_key depends on them
FACTS_COVERED_OTHERWISE = (  # facts that are not compared when a fold is added to a run
    *STORE_FACTS,
    "folds.k",  # the folds_fingerprint depends on it
    "score.unit",  # compared by `check_same_facts`, when the run is used
    "score.aggregate",  # likewise
)
# The keys of run.json that must be equal for all folds of a run; the others are for information.
FIXED_KEYS = ("recipe", "seed", "folds_fingerprint", "store_key", "pretrained_hash")
PLUGINS = "plugins.py"
NONE = str(None)  # as `_fixed_values` writes a value that is absent


def record_run_start(run_paths: RunPaths, metadata: RunMetadata) -> None:
    """Writes run.json before the first fold; later folds must have the same recipe, folds table and store.

    Raises:
        UserError: recipe, folds table or store differ from those in run.json, and the differing keys are listed; or
            run.json is damaged.
    """
    with locks.lock(run_paths.metadata):
        saved = read_saved_run_json(run_paths)
        if saved is None:
            write_run_json(run_paths, metadata)
            return
    before, now = _fixed_values(_with_defaults(saved)), _fixed_values(metadata)
    if before["folds_fingerprint"] != now["folds_fingerprint"]:
        what = "this run was started on a different folds table, and its scores belong to that one"
        paths = ProjectPaths(run_paths.root).competition(run_paths.competition)
        restore = advice_to_restore_folds(paths, saved)
        fix = f"Give the new run another name: {variable('RUN', 'new-name')}. {restore}"
        raise UserError(what, run_paths.metadata, fix)
    if changed := _describe_changes(before, now, config.flat(saved.facts), config.flat(metadata.facts)):
        fix = f"Undo this change, or train under another name: {variable('RUN', 'new-name')}"
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


def _with_defaults(metadata: RunMetadata) -> RunMetadata:
    """Returns run.json of an earlier version, with defaults for recipe keys that did not exist then."""
    try:
        recipe = Recipe.model_validate(metadata.recipe).model_dump(mode="json")
    except ValueError:
        return metadata
    return metadata.model_copy(update={"recipe": recipe})


def _fixed_values(metadata: RunMetadata) -> dict[str, str]:
    """Returns the values that must be equal for all folds of a run, as text by flat key."""
    facts = config.flat(metadata.facts)
    values = config.flat({key: getattr(metadata, key) for key in FIXED_KEYS})
    values |= {key: facts.get(key) for key in IDENTITY_FACTS if key not in FACTS_COVERED_OTHERWISE}
    values |= {PLUGINS: metadata.plugins_hash, "Keras backend": metadata.backend}
    return {key: str(value) for key, value in values.items()}
