"""A recipe: the settings to experiment with, as they are in <recipe>.yaml."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from medfold import config, earlier_versions
from medfold.competition.recipe_sections import BackboneSettings, PreparationSettings, TrainingSettings

# Keys of `training` that earlier versions did not have.
ADDED_TRAINING_KEYS = ("schedule", "callbacks", "jit_compile", "deterministic", "check_memorised")


def weights_without_folders(weights: str) -> str:
    """Returns `backbone.weights` for files that are shared: of an absolute path, only the name of the file."""
    return Path(weights).name if Path(weights).is_absolute() else weights


class Recipe(config.SettingsFile):
    """All settings of a run except the competition, its folds and the seed."""

    former_names: ClassVar[earlier_versions.Names] = earlier_versions.RECIPE

    preparation: PreparationSettings = PreparationSettings()
    backbone: BackboneSettings = BackboneSettings()
    head: Literal["classification", "ordinal", "both"] = Field(
        default="classification",
        description="`classification`: a probability for each class or label. For task ordinal: `ordinal`, one grade "
        "cut into classes at learnt points (McCullagh 1980); `both`, the mean of the two.",
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
        return earlier_versions.with_former_names(self.portable(), earlier_versions.RECIPE)
