"""The files of a new competition folder, from drafted facts."""

import re
from typing import Any

from medfold.scaffold.commented_yaml import add_doubts, add_reasons, dump_yaml
from medfold.scaffold.draft import Draft
from medfold.scoring import METRICS
from medfold.terminal.command_text import variable
from medfold.text import count_of

# Keys that a draft may have, in the order of docs/reference.md.
KEY_ORDER = [
    "title",
    "licence",
    "source",
    "upload",
    "task",
    "classes",
    "labels",
    "images",
    "score",
    "submission",
]
SECTION_KEY_ORDER = {
    "labels": [
        "layout",
        "file",
        "id",
        "targets",
        "value",
        "separator",
        "train_arrays",
        "map",
        "ignore",
        "repeated",
        "group",
        "group_pattern",
        "split",
        "test_file",
        "holdout",
    ],
    "images": ["root", "train", "test", "exclude", "channels", "dicom_headers", "symmetry"],
}
STEPS = ("folds", "train", "submit")  # make targets, after the download
README_SECTIONS = {
    "What is special": "To be written: what is unusual in the files, the labels, the images.",
    "Patients": "To be written: where patients are named, and how many images each has.",
    "Limits of the OOF score": "To be written: why the score on other patients may differ.",
    "Scores": "Not measured yet.",
}
SYMMETRY_COMMENT = "horizontal or dihedral, if images may be mirrored or turned"
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
SUGGESTED_METRICS = {"binary": "auc", "multiclass": "balanced_accuracy", "multilabel": "mean_auc", "ordinal": "qwk"}


def complete_facts(draft: Draft, name: str, source: dict[str, str]) -> dict[str, Any]:
    """Completes the guessed facts to a full competition.yaml, in its order of keys.

    Args:
        draft: guessed facts; where the upload changes, its reasons and doubts do too.
        name: slug of the competition.
        source: the settings under `source`: kind and, for Kaggle, slug.

    Returns:
        Content of competition.yaml; `score.metric` may be None.
    """
    facts = dict(draft.facts)
    facts |= {
        "title": name.replace("-", " ").capitalize(),
        "source": source,
        "upload": facts.get("upload", "none"),
        "score": {"metric": None, **facts.get("score", {})},
    }
    _drop_default_id(draft, facts)
    if _is_own(facts):
        if facts["upload"] != "none":
            draft.drop_reasons("upload")
            draft.add_reason("upload", "none", "no address on Kaggle was given")
            draft.drop_doubts("upload")
            address = variable("COMPETITION", "https://www.kaggle.com/competitions/...")
            what = f"none, since no competition on Kaggle is known; for one, give its address: {address}"
            draft.add_doubt("upload", what)
        facts["upload"] = "none"
    facts["images"] = {**facts["images"], "symmetry": "none"}
    for section, keys in SECTION_KEY_ORDER.items():
        facts[section] = _in_order(facts[section], keys)
    return _in_order(facts, KEY_ORDER)


def _in_order(values: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    return {key: values[key] for key in sorted(values, key=keys.index)}


def _drop_default_id(draft: Draft, facts: dict[str, Any]) -> None:
    """Removes `submission.id` and its reason where it equals the default, `labels.id`."""
    submission = facts.get("submission", {})
    if submission.get("id") == facts["labels"].get("id", "id") and not facts["score"].get("unit"):
        facts["submission"] = {key: value for key, value in submission.items() if key != "id"}
        draft.drop_reasons("submission.id")


def folder_files(name: str, facts: dict[str, Any], draft: Draft) -> dict[str, str]:
    """Returns the files of a competition folder: text by file name.

    Args:
        name: slug of the competition.
        facts: content of competition.yaml.
        draft: draft of these facts; its reasons and doubts become comments of competition.yaml.
    """
    command = f"# make train COMPETITION={name}"
    return {
        "competition.yaml": _facts_yaml(facts, draft),
        "baseline.yaml": f"{command}\n{_baseline(facts, draft)}",
        "gpu.yaml": f"{command} RECIPE=gpu\n{_gpu_recipe(facts, draft.largest_side)}",
        "README.md": _readme(name, facts),
    }


def _facts_yaml(facts: dict[str, Any], draft: Draft) -> str:
    """Returns the facts as YAML, with what is to be filled in, the reasons and the doubts as comments."""
    labels = {key: value for key, value in facts["labels"].items() if (key, value) != ("layout", "wide")}  # the default
    text = dump_yaml(facts | {"labels": labels})
    metrics = ", ".join(metric.name for metric in METRICS.all() if facts["task"] in metric.tasks)
    is_own = _is_own(facts)
    to_fill_in = f"for example {SUGGESTED_METRICS[facts['task']]}" if is_own else "see its page"
    text = text.replace("metric: null", f"metric: # fill in, {to_fill_in}; all: {metrics}", 1)
    text = text.replace("symmetry: none\n", f"symmetry: none # {SYMMETRY_COMMENT}\n", 1)
    text = add_reasons(text, {reason.key: reason.why for reason in draft.reasons})
    # The doubt about the upload of own data says how to repeat `make new`: nothing to change in the file.
    text = add_doubts(text, [doubt for doubt in draft.doubts if not (is_own and doubt.key == "upload")])
    return f"# Guessed by make new from the files of the competition: check each line.\n{text}"


def _baseline(facts: dict[str, Any], draft: Draft) -> str:
    """Returns the baseline as YAML, with the reason for each setting that is not the default."""
    size = min(MAX_BASELINE_SIZE, max(MIN_BASELINE_SIZE, draft.largest_side or MAX_BASELINE_SIZE))
    reason = "the size of the largest image" if size == draft.largest_side else "small, for a CPU"
    epochs = min(MAX_BASELINE_EPOCHS, max(1, round(BASELINE_IMAGES / max(1, draft.num_images))))
    rule = f"{BASELINE_IMAGES:,} / {count_of(draft.num_images, 'image')}, at least 1, at most {MAX_BASELINE_EPOCHS}"
    steps = ""
    if _is_fundus(facts):
        steps, reason = ", steps: [circle_crop]", "without the black around the eye"
    return (
        "# A small net for a CPU, for a first score; not measured.\n"
        "# Next: RECIPE=gpu, or mobilenet without a GPU. Neither is measured.\n"
        f"preparation: {{size: {size}{steps}, fit: pad}} # {reason}; pad: proportions stay\n"
        f"{_settings_of_the_task(facts)}"
        f"training: {{epochs: {epochs}}} # {rule}\n"
    )


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


def _gpu_recipe(facts: dict[str, Any], largest_side: int | None) -> str:
    """Returns the GPU recipe as YAML: the baseline, changed by the shared recipe that fits the size of the images."""
    shared, reason, settings = "gpu", "a pretrained net on large images; for small ones gpu_small", ""
    if not _is_fundus(facts) and largest_side is not None and largest_side <= LARGEST_PATCH:
        if not _is_grey(facts):
            shared, reason = "gpu_small", "a pretrained net on small images in colour; for other images gpu"
        size_reason = "the size of the largest image"
        if largest_side < MIN_GPU_SIZE:
            size_reason = "enlarged: the last map of the net has 1/32 of the side"
        settings = f"preparation: {{size: {max(largest_side, MIN_GPU_SIZE)}}} # {size_reason}\n"
    return f"# For a GPU; not measured.\nextends: [baseline, {shared}] # {reason}\n{settings}"


def _readme(name: str, facts: dict[str, Any]) -> str:
    """Returns the README of the competition: commands, and sections to be written."""
    from_folder = " FROM=folder-or-archive" if _is_own(facts) else ""
    commands = (f"export COMPETITION={name}", f"make download{from_folder}", *(f"make {target}" for target in STEPS))
    steps = "\n".join(f"    {command}" for command in commands)
    about = f"{_address(facts) or 'Your own data.'}\n\nTo be written: the task, the number of images, the licence."
    sections = "\n\n".join(f"## {heading}\n\n{to_do}" for heading, to_do in README_SECTIONS.items())
    return f"# {name}\n\n{about}\n\n{steps}\n\n{sections}\n"


def _address(facts: dict[str, Any]) -> str | None:
    """Returns the address of the competition or data set; None for data that are not on Kaggle."""
    folder = {"kaggle": "competitions", "kaggle_dataset": "datasets"}.get(facts["source"]["kind"])
    return f"https://www.kaggle.com/{folder}/{facts['source']['slug']}" if folder else None


def _is_own(facts: dict[str, Any]) -> bool:
    """Returns True for data that are not on Kaggle."""
    return facts["source"]["kind"] == "own"
