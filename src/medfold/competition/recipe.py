"""<recipe>.yaml -> Recipe: the choices one experiments with."""

import json
import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from medfold import config
from medfold.competition.recipe_sections import BackboneSettings, ImageSettings, TrainingSettings
from medfold.config import StrictModel
from medfold.errors import UserError, did_you_mean
from medfold.files import fingerprint
from medfold.paths import CompetitionPaths

NEW = ("schedule", "callbacks", "compile", "deterministic")  # keys of `training` that earlier versions did not have


class Recipe(StrictModel):
    """Everything that decides a run but the competition, its folds and the seed."""

    images: ImageSettings = ImageSettings()
    backbone: BackboneSettings = BackboneSettings()
    head: Literal["classes", "cut_points", "both"] = Field(
        default="classes",
        description="`classes`: a probability for each class or label. Ordinal tasks: `cut_points`, one grade cut into "
        "classes at points that are learnt (McCullagh 1980); `both`, the mean of the two.",
    )
    augment: str | list[str | dict[str, dict[str, Any]]] = Field(
        default="light", description="Random changes of the training images: a pipeline, or a list of transforms."
    )
    training: TrainingSettings = TrainingSettings()
    tta: bool = Field(
        default=True,
        description="Test-time augmentation: predictions are averaged over the views that `images.symmetry` allows.",
    )

    def portable(self) -> dict[str, Any]:
        """The recipe without the folders of this machine: of a file with weights, its name alone."""
        content = self.model_dump(mode="json")
        content["backbone"]["weights"] = Path(self.backbone.weights).name
        usual = TrainingSettings().model_dump(mode="json")
        for key in NEW:  # so that what was begun or sent before they were there is recognised
            if content["training"][key] == usual[key]:
                del content["training"][key]
        return content


def load_recipe(paths: CompetitionPaths, bases: Path, name: str, overrides: dict[str, Any]) -> Recipe:
    """A recipe of a competition, with overrides laid over it.

    Raises:
        UserError: no such recipe (nearest named), an unknown key, a wrong value, or choices that contradict each other.
    """
    file = paths.folder / f"{name}.yaml"
    known = sorted(path.stem for path in paths.folder.glob("*.yaml") if path != paths.facts)
    if name not in known:
        raise UserError(
            f"unknown recipe{did_you_mean(name, known)}", f"{paths.name}/{name}", f"Known: {', '.join(known)}"
        )
    content = config.merge(config.load(file, bases), overrides)
    where = str(file.relative_to(paths.root)) + (" with SET" if overrides else "")
    recipe = config.validated(Recipe, content, where)
    _refuse_contradictions(recipe.training, where)
    return recipe


def _refuse_contradictions(choices: TrainingSettings, where: str) -> None:
    """Choices that undo or distort each other; not part of the schema, so that older runs can still be read."""
    soft = [key for key in ("mixup", "cutmix", "label_smoothing") if getattr(choices, key)]
    for wrong, key, what, fix in (
        (
            choices.patience and choices.keep != "best",
            "patience",
            "it waits for a better epoch, and 'training.keep: final' keeps the last one",
            "Set training.keep to best, or patience to 0",
        ),
        (
            choices.sampler == "balanced" and choices.class_weights == "balanced",
            "class_weights",
            "the sampler draws the classes equally often already, so a rare class would count twice over",
            "Set one of them to none (sampler: shuffled)",
        ),
        (
            choices.loss == "focal" and soft,
            "loss",
            f"focal loss is for hard labels: with {', '.join(soft)} a target of 0.7 would be learnt as 0.88",
            f"Set it to cross_entropy, or {', '.join(soft)} to 0",
        ),
    ):
        if wrong:
            raise UserError(what, f"{where}, training.{key}", fix)


def ineffective_settings(choices: Recipe, symmetry: str) -> dict[str, str]:
    """What a recipe sets and training does not do.

    Args:
        symmetry: of the competition's images.

    Returns:
        Keys that differ from their default and change nothing, `training.mixup`, each with the reason.
    """
    training, backbone = choices.training, choices.backbone
    frozen = "training.epochs is 0: the head alone is trained, on features that are computed beforehand"
    small = f"{backbone.name} has no such choice"
    of_the_kit = backbone.name in ("simple_cnn", "resnet9")
    reasons = {
        "augment": (not training.epochs and choices.augment != "none", frozen),
        "training.learning_rate": (not training.epochs, frozen),
        "training.cutmix": (not training.epochs, frozen),
        "backbone.freeze_norm": (of_the_kit or not training.epochs, small if of_the_kit else frozen),
        "training.head_learning_rate": (not training.head_epochs, "training.head_epochs is 0"),
        "training.focal_gamma": (training.loss != "focal", f"training.loss is {training.loss}"),
        "backbone.width": (backbone.name != "resnet9", small),
        "backbone.pooling": (backbone.name == "simple_cnn", small),
        "tta": (symmetry == "none", "images.symmetry is none: there is one view of an image"),
    }
    mine, usual = (config.flat(each.model_dump(mode="json")) for each in (choices, Recipe()))
    return {key: why for key, (useless, why) in reasons.items() if useless and mine[key] != usual[key]}


def effective_recipe(recipe: dict[str, Any], symmetry: str) -> dict[str, Any]:
    """The flat recipe of a run, `training.epochs`, without what training did not do; as it is if no longer valid."""
    found = config.flat(recipe)
    try:
        choices = Recipe.model_validate(recipe)
    except ValueError:
        return found
    usual = config.flat(Recipe().model_dump(mode="json"))
    return found | {key: usual[key] for key in ineffective_settings(choices, symmetry)}


def parse_overrides(text: str) -> dict[str, Any]:
    """`"training.epochs=3 tta=false"` -> `{"training": {"epochs": 3}, "tta": False}`; values are YAML.

    A value in quotes may have spaces: `"backbone.weights='my weights.h5'"`. A JSON object is taken as well: so one
    process hands overrides to another.

    Raises:
        UserError: a word without `=`, a value that is not YAML, or an object that is not JSON.
    """
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise UserError(f"not JSON ({error})", "SET", 'Example: SET="training.epochs=3 images.size=96"') from None
    result: dict[str, Any] = {}
    for word in re.findall(r"""[^\s=]+=(?:'[^']*'|"[^"]*")(?!\S)|\S+""", text):
        key, equals, value = word.partition("=")
        if not equals or not all(key.split(".")):
            raise UserError("expected key=value", f"SET, '{word}'", 'Example: SET="training.epochs=3 images.size=96"')
        try:
            leaf = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError("the value is not YAML", f"SET, '{word}'") from None
        for part in reversed(key.split(".")):
            leaf = {part: leaf}
        result = config.merge(result, leaf)
    return result


def overrides_as_typed(overrides: dict[str, Any]) -> str:
    """The other way round: what `parse_overrides` makes these of; lists must be of words and numbers."""

    def value_of(value: Any) -> str:
        if isinstance(value, str) and (" " in value or yaml.safe_load(value) != value):
            return f"'{value}'"
        return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n...\n").strip().replace(", ", ",")

    return " ".join(f"{key}={value_of(value)}" for key, value in config.flat(overrides).items())


def run_name(recipe: str, seed: int, overrides: dict[str, Any]) -> str:
    """The name of a run: the recipe, `-s<seed>` if the seed is not 0, `-<6 hex>` of the overrides if there are any."""
    return recipe + (f"-s{seed}" if seed else "") + (f"-{fingerprint(overrides, 6)}" if overrides else "")
