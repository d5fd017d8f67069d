"""Recipes of a new competition: a baseline for a CPU, and a recipe for a GPU."""

import re
from typing import Any

from medfold.scaffold.draft import Draft
from medfold.text import count_of

FUNDUS_COMMENT = "# With images.symmetry: dihedral, fundus photographs may have augment: fundus.\n"
AUGMENT_COMMENT = "# For stained tissue, augment: histology; for radiographs, augment: xray.\n"
MIN_BASELINE_SIZE = 32  # pixels
MAX_BASELINE_SIZE = 96
BASELINE_IMAGES = 50_000  # images that the baseline is trained on, in all epochs together
MAX_BASELINE_EPOCHS = 40
LARGEST_PATCH = 256  # pixels; larger colour images are not treated as patches of tissue
FUNDUS = r"fundus|retin[ao]"  # words that tell fundus photographs from other images
XRAY = r"x-?ray|radiograph|mammogra|\bcxr\b"  # words that tell radiographs from other grey images
MIN_GPU_SIZE = 192  # pixels, as for histopathologic-cancer-detection; smaller images are enlarged for pretrained nets


def baseline_recipe(draft: Draft) -> str:
    """Returns the baseline as YAML, with the reason for each setting that is not the default."""
    size = min(MAX_BASELINE_SIZE, max(MIN_BASELINE_SIZE, draft.largest_side or MAX_BASELINE_SIZE))
    reason = "the size of the largest image" if size == draft.largest_side else "small, for a CPU"
    epochs = min(MAX_BASELINE_EPOCHS, max(1, round(BASELINE_IMAGES / max(1, draft.num_images))))
    rule = f"{BASELINE_IMAGES:,} / {count_of(draft.num_images, 'image')}, at least 1, at most {MAX_BASELINE_EPOCHS}"
    steps = ""
    if _is_fundus(draft.facts):
        steps, reason = ", steps: [circle_crop]", "without the black around the eye"
    return (
        "# A small net for a CPU, for a first score; not measured.\n"
        "# Next: RECIPE=gpu, or mobilenet without a GPU. Neither is measured.\n"
        f"preparation: {{size: {size}{steps}, fit: pad}} # {reason}; pad: proportions stay\n"
        f"{_settings_of_the_task(draft.facts)}"
        f"training: {{epochs: {epochs}}} # {rule}\n"
    )


def gpu_recipe(draft: Draft) -> str:
    """Returns the GPU recipe as YAML: the baseline, changed by the shared recipe that fits the size of the images."""
    facts, largest_side = draft.facts, draft.largest_side
    shared, reason, settings = "gpu", "a pretrained net on large images; for small ones gpu_small", ""
    if not _is_fundus(facts) and largest_side is not None and largest_side <= LARGEST_PATCH:
        if not _is_grey(facts):
            shared, reason = "gpu_small", "a pretrained net on small images in colour; for other images gpu"
        size_reason = "the size of the largest image"
        if largest_side < MIN_GPU_SIZE:
            size_reason = "enlarged: the last map of the net has 1/32 of the side"
        settings = f"preparation: {{size: {max(largest_side, MIN_GPU_SIZE)}}} # {size_reason}\n"
    return f"# For a GPU; not measured.\nextends: {shared} # {reason}\n{settings}"


def _settings_of_the_task(facts: dict[str, Any]) -> str:
    """Returns settings that suit the images and labels, as YAML; `mobilenet` and `gpu` take them over."""
    if _is_fundus(facts):
        is_ordinal = facts["task"] == "ordinal"
        head = "head: both # grades are ordered: the mean of a classification head and an ordinal one\n"
        return f"{head if is_ordinal else ''}{FUNDUS_COMMENT}"
    if _is_radiograph(facts):
        return "augment: xray # exposure and contrast of radiographs\n"
    return AUGMENT_COMMENT


def _is_fundus(facts: dict[str, Any]) -> bool:
    return re.search(FUNDUS, str(facts).lower()) is not None


def _is_grey(facts: dict[str, Any]) -> bool:
    return facts["images"].get("channels", 3) == 1 or ".dcm" in str(facts).lower()


def _is_radiograph(facts: dict[str, Any]) -> bool:
    return _is_grey(facts) and re.search(XRAY, str(facts).lower()) is not None
