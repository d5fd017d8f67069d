"""The files of a new competition folder, from drafted facts."""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from medfold.scaffold.draft import Draft
from medfold.scoring import METRICS
from medfold.terminal.command_text import variable

KEY_ORDER = (
    "title",
    "url",
    "licence",
    "source",
    "upload",
    "task",
    "classes",
    "labels",
    "images",
    "score",
    "submission",
)
IMAGE_KEY_ORDER = ("root", "train", "test", "exclude", "channels", "dicom_headers", "symmetry")
STEPS = ("folds", "train", "submit")  # make targets, after the download
SYMMETRY_COMMENT = "horizontal or dihedral, if images may be mirrored or turned"
SHARED_GPU_RECIPES = ("gpu_fundus", "gpu_grey", "gpu_histology", "gpu_radiograph", "gpu_screening", "gpu_small")
MIN_BASELINE_SIZE = 32  # pixels
MAX_BASELINE_SIZE = 96
LARGEST_PATCH = 256  # pixels; larger colour images are not treated as patches of tissue
MAX_LINE_LENGTH = 120  # of competition.yaml
XRAY = r"x-?ray|radiograph|mammogra|\bcxr\b"  # words that tell radiographs from other grey images
MIN_GPU_SIZE = 192  # pixels, as in gpu_small: smaller images are enlarged for the pretrained nets
SUGGESTED_METRICS = {"binary": "auc", "multiclass": "balanced_accuracy", "multilabel": "mean_auc", "ordinal": "qwk"}


def complete_facts(draft: Draft, name: str, source: dict[str, str]) -> dict[str, Any]:
    """Completes the guessed facts to those of a competition.yaml, in its order of keys.

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
        "upload": facts.get("upload", "local"),
        "score": {"metric": None, **facts.get("score", {})},
    }
    _drop_default_id(draft, facts)
    if source["kind"] == "own":
        if facts["upload"] != "local":
            draft.reasons[:] = [row for row in draft.reasons if row[0] != "upload"]
            draft.add_reason("upload", "local", "no address on Kaggle was given")
            doubt = "upload: local, since no competition on Kaggle is known; for one, give its address: "
            doubt += variable("COMPETITION", "https://www.kaggle.com/competitions/...")
            draft.doubts[:] = [*(other for other in draft.doubts if not other.startswith("upload:")), doubt]
        facts["upload"] = "local"
    else:
        folder = "datasets" if "/" in source["slug"] else "competitions"
        facts["url"] = f"https://www.kaggle.com/{folder}/{source['slug']}"
    images = {**facts["images"], "symmetry": "none"}
    facts["images"] = {key: images[key] for key in IMAGE_KEY_ORDER if key in images}
    return {key: facts[key] for key in KEY_ORDER if key in facts}


def _drop_default_id(draft: Draft, facts: dict[str, Any]) -> None:
    """Removes `submission.id` and its reason where it equals the default, `labels.id`."""
    submission = facts.get("submission", {})
    if submission.get("id") == facts["labels"].get("id", "id") and not facts["score"].get("unit"):
        facts["submission"] = {key: value for key, value in submission.items() if key != "id"}
        draft.reasons[:] = [row for row in draft.reasons if row[0] != "submission.id"]


def _baseline(largest_side: int | None) -> str:
    """Returns the baseline as YAML, with the reason for each setting that is not the default."""
    size = min(MAX_BASELINE_SIZE, max(MIN_BASELINE_SIZE, largest_side or MAX_BASELINE_SIZE))
    reason = "the size of the largest image" if size == largest_side else "small, for a CPU"
    return (
        "# A small net for a CPU, for a first score; not measured. Better: RECIPE=gpu, or mobilenet without a GPU\n"
        f"images: {{size: {size}, fit: pad}} # {reason}; pad: proportions stay\n"
        "training: {epochs: 10} # half of the default: enough for a first score\n"
    )


def _gpu_recipe(facts: dict[str, Any], largest_side: int | None) -> str:
    """Returns the GPU recipe as YAML, with its reasons: the shared one that fits the images best."""
    images = facts["images"]
    words = str(facts).lower()
    if re.search(r"fundus|retin[ao]", words):
        head = "" if facts["task"] == "ordinal" else "head: classes # the classes have no order, so no cut points\n"
        return f"extends: gpu_fundus # fundus photographs\n{head}"
    is_small = largest_side is not None and largest_side <= LARGEST_PATCH
    size = ""
    if is_small and largest_side >= MIN_GPU_SIZE:
        size = f"images: {{size: {largest_side}}} # the size of the largest image\n"
    elif is_small:
        size = f"images: {{size: {MIN_GPU_SIZE}}} # enlarged: the last map of the net has 1/32 of the side\n"
    if images.get("channels", 3) == 1 or ".dcm" in words:
        is_radiograph = re.search(XRAY, words)
        extends = "gpu_radiograph # X-rays" if is_radiograph else "gpu_grey # grey images; for X-rays: gpu_radiograph"
        return f"extends: {extends}\n{size}"
    if is_small:
        return f"extends: gpu_small # small images in colour; for stained tissue: gpu_histology\n{size}"
    return "extends: gpu_screening # large images in colour\n"


def folder_files(
    name: str, facts: dict[str, Any], largest_side: int | None = None, reasons: Iterable[tuple[str, str, str]] = ()
) -> dict[str, str]:
    """Returns the files of a competition folder: text by file name.

    Args:
        name: slug of the competition.
        facts: content of competition.yaml.
        largest_side: largest height or width of the images, in pixels. Defaults to None: unknown.
        reasons: (key, value, reason) of each guess, as in `Draft.reasons`; the reasons become comments of
            competition.yaml. Defaults to none.
    """
    labels = {key: value for key, value in facts["labels"].items() if (key, value) != ("layout", "wide")}  # the default
    text = yaml.dump(facts | {"labels": labels}, sort_keys=False, allow_unicode=True, width=110, Dumper=_Dumper)
    metrics = ", ".join(metric.name for metric in METRICS.all() if facts["task"] in metric.tasks)
    is_own = facts["source"]["kind"] == "own"
    to_fill_in = f"for example {SUGGESTED_METRICS[facts['task']]}" if is_own else "see its page"
    text = text.replace("metric: null", f"metric: # fill in, {to_fill_in}; all: {metrics}", 1)
    text = text.replace("symmetry: none\n", f"symmetry: none # {SYMMETRY_COMMENT}\n", 1)
    text = _with_comments(text, {key: reason for key, _, reason in reasons})
    command = f"# make train COMPETITION={name}"
    gpu_recipe = _gpu_recipe(facts, largest_side)
    others = ", ".join(name for name in SHARED_GPU_RECIPES if f"extends: {name} " not in gpu_recipe)
    gpu = f"{command} RECIPE=gpu\n# For a GPU; not measured yet. What it extends was guessed from the images; "
    gpu += f"the others:\n# {others}\n{gpu_recipe}"
    from_folder = " FROM=folder-or-archive" if is_own else ""
    commands = (f"download COMPETITION={name}{from_folder}", *(f"{target} COMPETITION={name}" for target in STEPS))
    steps = "\n".join(f"    make {command}" for command in commands)
    to_do = "To be written: what it is, its licence, time and score of each recipe, measured or 'not measured'."
    about = facts.get("url", "Your own data.")
    readme = f"# {name}\n\n{about}\n\n{steps}\n\n{to_do}\n"
    return {
        "competition.yaml": f"# Guessed by make new from the files of the competition: check each line.\n{text}",
        "baseline.yaml": f"{command}\n{_baseline(largest_side)}",
        "gpu.yaml": gpu,
        "README.md": readme,
    }


def _with_comments(text: str, comments: dict[str, str]) -> str:
    """Adds comments to YAML of at most two levels, behind the line of a key or, where it is too long, above it.

    Args:
        text: YAML, mappings as blocks.
        comments: comment of each key, such as `labels.id`; those of keys that are not in the text are left out.
    """
    commented, section = [], ""
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        indent, key = re.match(r"( {0,2})(?:(\w+):)?", line).groups()
        if key and not indent:
            section = key
        comment = comments.get(f"{section}.{key}" if indent else key, "") if key else ""
        is_single_line = not following.startswith(" " * (len(indent) + 2))
        if comment and is_single_line and len(line) + len(comment) + 3 <= MAX_LINE_LENGTH:
            line = f"{line} # {comment}"
        elif comment:
            commented.append(f"{indent}# {comment}")
        commented.append(line)
    return "\n".join(commented) + "\n"


class _Dumper(yaml.SafeDumper):
    """Dumper in the style of the shipped files: mappings as blocks, `source` and lists on one line, double quotes."""

    def check_simple_key(self):
        """Allows an empty text as a simple key: {'': null}."""
        return getattr(self.event, "value", None) == "" or super().check_simple_key()

    def choose_scalar_style(self):
        """Prefers double quotes, except around a backslash, which they would escape."""
        style = super().choose_scalar_style()
        return '"' if style == "'" and "\\" not in self.event.value else style

    def represent_mapping(self, tag, mapping, flow_style=None):
        """Writes the section `source` on one line."""
        return super().represent_mapping(tag, mapping, flow_style="kind" in mapping)

    def represent_sequence(self, tag, sequence, flow_style=None):
        return super().represent_sequence(tag, sequence, flow_style=True)
