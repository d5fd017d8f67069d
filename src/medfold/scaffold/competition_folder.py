"""The files of a new competition folder, from a completed draft."""

from typing import Any

from medfold.scaffold.commented_yaml import add_doubts, add_reasons, dump_yaml
from medfold.scaffold.draft import Draft
from medfold.scaffold.recipes import baseline_recipe, gpu_recipe
from medfold.scoring import METRICS

STEPS = ("folds", "train", "submit")  # make targets, after the download
README_SECTIONS = {
    "What is special": "To be written: what is unusual in the files, the labels, the images.",
    "Patients": "To be written: where patients are named, and how many images each has.",
    "Limits of the OOF score": "To be written: why the score on other patients may differ.",
    "Scores": "Not measured yet.",
}
SYMMETRY_COMMENT = "horizontal or dihedral, if images may be mirrored or turned"
SUGGESTED_METRICS = {"binary": "auc", "multiclass": "balanced_accuracy", "multilabel": "mean_auc", "ordinal": "qwk"}


def folder_files(name: str, draft: Draft) -> dict[str, str]:
    """Returns the files of a competition folder: text by file name.

    Args:
        name: slug of the competition.
        draft: the completed draft; its reasons and doubts become comments of competition.yaml.
    """
    command = f"# make train COMPETITION={name}"
    return {
        "competition.yaml": _facts_yaml(draft),
        "baseline.yaml": f"{command}\n{baseline_recipe(draft)}",
        "gpu.yaml": f"{command} RECIPE=gpu\n{gpu_recipe(draft)}",
        "README.md": _readme(name, draft.facts),
    }


def _facts_yaml(draft: Draft) -> str:
    """Returns the facts as YAML, with what is to be filled in, the reasons and the doubts as comments."""
    facts = draft.facts
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
