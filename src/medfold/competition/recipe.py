"""Recipes: the settings to experiment with, as read from <recipe>.yaml and SET=."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from medfold import config
from medfold.competition.facts import CompetitionFacts
from medfold.competition.recipe_sections import BackboneSettings, ImageSettings, TrainingSettings
from medfold.errors import UserError
from medfold.paths import CompetitionPaths
from medfold.project_root import display_path
from medfold.system.hashes import fingerprint
from medfold.terminal.command_text import variable
from medfold.text import did_you_mean

# Keys of `training` that earlier versions did not have.
ADDED_TRAINING_KEYS = ("schedule", "callbacks", "jit_compile", "deterministic")

# Recipes that every competition has, and the files that they extend. A file of that name replaces them.
SHARED_RECIPES = {
    "debug": ("baseline", "debug"),
    "mobilenet": ("baseline", "mobilenet"),
    "simple_cnn": ("simple_cnn",),
}


class Recipe(config.SettingsFile):
    """All settings of a run except the competition, its folds and the seed."""

    images: ImageSettings = ImageSettings()
    backbone: BackboneSettings = BackboneSettings()
    head: Literal["classes", "cut_points", "both"] = Field(
        default="classes",
        description="`classes`: a probability for each class or label. Ordinal tasks: `cut_points`, one grade cut into "
        "classes at learnt points (McCullagh 1980); `both`, the mean of the two.",
    )
    augment: str | list[str | dict[str, dict[str, Any]]] = Field(
        default="light", description="Random changes of the training images: a pipeline, or a list of transforms."
    )
    training: TrainingSettings = TrainingSettings()
    tta: bool = Field(
        default=True,
        description="Test-time augmentation: average the predictions over the views that `images.symmetry` allows.",
    )

    def portable(self) -> dict[str, Any]:
        """Returns the recipe as JSON without folders of this machine: a weights file by its name only.

        Keys that medfold 0.1.0 did not have are left out at their default, so that its runs have the same identity.
        """
        content = self.model_dump(mode="json")
        content["backbone"]["weights"] = Path(self.backbone.weights).name
        defaults = TrainingSettings().model_dump(mode="json")
        for key in ADDED_TRAINING_KEYS:
            if content["training"][key] == defaults[key]:
                del content["training"][key]
        return content

    def fingerprint_input(self) -> dict[str, Any]:
        """Returns what fingerprints of the recipe are made from: `portable`, under the names of earlier versions."""
        return config.with_former_names(self.portable())


def recipe_names(paths: CompetitionPaths) -> list[str]:
    """Returns the names of a competition's recipes: those of its files, and the shared ones."""
    own = {path.stem for path in paths.folder.glob("*.yaml") if path != paths.facts_file}
    return sorted(own | {name for name in SHARED_RECIPES if (paths.base_folder / f"{name}.yaml").is_file()})


def recipe_file(paths: CompetitionPaths, name: str) -> Path:
    """Returns the file of a recipe: the competition's own one, else the shared one."""
    file = paths.folder / f"{name}.yaml"
    return file if file.is_file() else paths.base_folder / file.name


def load_recipe(paths: CompetitionPaths, name: str, overrides: dict[str, Any]) -> Recipe:
    """Loads a recipe of a competition and applies the overrides.

    Args:
        paths: paths of the competition; its folder holds the recipes.
        name: name of the recipe: a file of the competition, else one of `SHARED_RECIPES`.
        overrides: nested, as returned by `parse_overrides`.

    Returns:
        The resolved recipe.

    Raises:
        UserError: an unknown recipe (the message names the nearest one), an unknown key, a wrong value, or settings
            that contradict each other.
    """
    known = recipe_names(paths)
    if name not in known and (paths.base_folder / f"{name}.yaml").is_file():
        fix = f"Write extends: {name} into a recipe of {display_path(paths.folder)}; it has: {', '.join(known)}"
        raise UserError("a file to extend, not to run", variable("RECIPE", name), fix)
    if name not in known:
        raise UserError(
            f"unknown recipe{did_you_mean(name, known)}",
            variable("RECIPE", name),
            f"{paths.name} has: {', '.join(known)}",
        )
    file = recipe_file(paths, name)
    if file.parent == paths.folder:
        content = config.load(file, paths.base_folder)
    else:
        content = config.load_bases(SHARED_RECIPES[name], paths.folder / file.name, paths.base_folder)
    overrides = config.with_current_names(overrides, variable("SET"))
    elsewhere = (CompetitionFacts, paths.facts_file.name)
    try:
        where = variable("SET") if overrides else display_path(file)
        recipe = config.validated(Recipe, config.merge(content, overrides), where, elsewhere)
    except UserError:
        config.validated(Recipe, content, display_path(file), elsewhere)  # raises if the file itself has a fault
        raise
    _check_no_contradictions(recipe.training, lambda key: recipe_location(paths, name, overrides, key))
    return recipe


def recipe_location(paths: CompetitionPaths, name: str, overrides: dict[str, Any], key: str) -> str:
    """Returns where a key of a recipe is set, as text for a message: SET, or the file of the recipe.

    Args:
        paths: paths of the competition of the recipe.
        name: name of the recipe.
        overrides: keys that SET changes, nested.
        key: the key, such as `training.epochs`.
    """
    changed_keys = config.flat(config.with_current_names(overrides, variable("SET")))
    is_set = any(f"{changed}.".startswith(f"{key}.") for changed in changed_keys)
    return variable("SET") if is_set else display_path(recipe_file(paths, name))


def _check_no_contradictions(training: TrainingSettings, location: Callable[[str], str]) -> None:
    """Refuses choices that undo or distort each other; not in the schema, so that older runs can still be read."""
    soft_targets = [key for key in ("mixup", "cutmix", "label_smoothing") if getattr(training, key)]
    for contradiction, key, what, fix in (
        (
            training.patience and training.keep != "best",
            "patience",
            "it waits for a better epoch, and 'training.keep: final' keeps the last one",
            "Set training.keep to best, or patience to 0",
        ),
        (
            training.sampler == "balanced" and training.class_weights == "balanced",
            "class_weights",
            "the sampler already draws all classes equally often, so a rare class would count twice",
            "Set one of them to none (sampler: shuffled)",
        ),
        (
            training.loss == "focal" and soft_targets,
            "loss",
            f"focal loss is for hard labels: with {', '.join(soft_targets)} a target of 0.7 would be learnt as 0.88",
            f"Set it to cross_entropy, or {', '.join(soft_targets)} to 0",
        ),
    ):
        if contradiction:
            raise UserError(what, f"{location(f'training.{key}')}, training.{key}", fix)


def ineffective_settings(recipe: Recipe, symmetry: str) -> dict[str, str]:
    """Finds settings of a recipe that have no effect.

    Args:
        recipe: the resolved recipe.
        symmetry: `images.symmetry` of the competition.

    Returns:
        The reason for each key, such as `training.cutmix`, that differs from its default and has no effect.
    """
    training = recipe.training
    backbone = recipe.backbone
    only_head = "training.epochs is 0: only the head is trained, on precomputed features"
    no_setting = f"{backbone.name} has no such setting"
    built_in = backbone.name in ("simple_cnn", "resnet9")
    reasons = {
        "augment": (not training.epochs and recipe.augment != "none", only_head),
        "training.learning_rate": (not training.epochs, only_head),
        "training.cutmix": (not training.epochs, only_head),
        "backbone.freeze_norm": (built_in or not training.epochs, no_setting if built_in else only_head),
        "training.head_learning_rate": (not training.head_epochs, "training.head_epochs is 0"),
        "training.focal_gamma": (training.loss != "focal", f"training.loss is {training.loss}"),
        "backbone.width": (backbone.name != "resnet9", no_setting),
        "backbone.pooling": (backbone.name == "simple_cnn", no_setting),
        "tta": (symmetry == "none", "images.symmetry is none: there is one view of an image"),
    }
    settings, defaults = (config.flat(values.model_dump(mode="json")) for values in (recipe, Recipe()))
    return {key: why for key, (ineffective, why) in reasons.items() if ineffective and settings[key] != defaults[key]}


def effective_recipe(recipe: dict[str, Any], symmetry: str) -> dict[str, Any]:
    """Returns the flat recipe of a run (keys as `training.epochs`), settings without effect reset to their default.

    A recipe that is no longer valid is only flattened.
    """
    flat_recipe = config.flat(config.with_current_names(recipe, "recipe"))
    try:
        validated_recipe = Recipe.model_validate(recipe)
    except ValueError:
        return flat_recipe
    defaults = config.flat(Recipe().model_dump(mode="json"))
    return flat_recipe | {key: defaults[key] for key in ineffective_settings(validated_recipe, symmetry)}


def parse_overrides(text: str) -> dict[str, Any]:
    """Parses overrides: `"training.epochs=3 tta=false"` -> `{"training": {"epochs": 3}, "tta": False}`.

    Values are YAML; in quotes they may have spaces: `"backbone.weights='my weights.h5'"`. A JSON object is accepted as
    well, which one process uses to pass overrides to another.

    Raises:
        UserError: a word without `=`, a key that occurs twice, a value that is not YAML, or an invalid JSON object.
    """
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise UserError(f"not JSON ({error})", variable("SET"), _example()) from None
    result: dict[str, Any] = {}
    seen = set()
    for word in re.findall(r"""[^\s=]+=(?:'[^']*'|"[^"]*")(?!\S)|\S+""", text):
        key, equals, value = word.partition("=")
        if not equals or not all(key.split(".")):
            raise UserError("expected key=value without spaces", f"{variable('SET')}, '{word}'", _example())
        if key in seen:
            raise UserError(f"the key '{key}' occurs twice", variable("SET"), "Keep one of the two")
        seen.add(key)
        try:
            leaf = yaml.safe_load(value)
        except yaml.YAMLError:
            where = f"{variable('SET')}, '{word}'"
            raise UserError("the value is not YAML", where, "Close its brackets and quotes") from None
        for part in reversed(key.split(".")):
            leaf = {part: leaf}
        result = config.merge(result, leaf)
    return result


def _example() -> str:
    return f"Example: {variable('SET', 'training.epochs=3 images.size=96')}"


def format_overrides(overrides: dict[str, Any]) -> str:
    """Formats overrides as text, the inverse of `parse_overrides`; lists may hold only words and numbers."""

    def format_value(value: Any) -> str:
        if isinstance(value, str) and (" " in value or yaml.safe_load(value) != value):
            return f"'{value}'"
        return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n...\n").strip().replace(", ", ",")

    return " ".join(f"{key}={format_value(value)}" for key, value in config.flat(overrides).items())


def run_name(recipe: str, seed: int, overrides: dict[str, Any]) -> str:
    """Returns the run name `<recipe>[-s<seed>][-<hash>]`: the seed unless 0, 6 hex digits of the overrides if any.

    Former names of settings give the same hash.
    """
    hashed = fingerprint(config.with_former_names(overrides), 6)
    return recipe + (f"-s{seed}" if seed else "") + (f"-{hashed}" if overrides else "")
