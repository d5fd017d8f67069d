"""The files of a new competition folder, from drafted facts."""

import re
import textwrap
from typing import Any

import yaml

from medfold.scaffold.draft import Draft
from medfold.scoring import METRICS
from medfold.terminal.command_text import variable
from medfold.text import count_of

# Keys that a draft may have, in the order of docs/reference.md.
KEY_ORDER = [
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
        "part",
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
    "Scores": "No recipe has been measured yet.",
}
SYMMETRY_COMMENT = "horizontal or dihedral, if images may be mirrored or turned"
SHARED_GPU_RECIPES = (
    "gpu",
    "gpu_fundus",
    "gpu_histology",
    "gpu_radiograph",
    "gpu_screening",
    "gpu_small",
)
MIN_BASELINE_SIZE = 32  # pixels
MAX_BASELINE_SIZE = 96
BASELINE_IMAGES = 50_000  # images that the baseline is trained on, in all epochs together
MAX_BASELINE_EPOCHS = 40
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
            draft.drop_reasons("upload")
            draft.add_reason("upload", "local", "no address on Kaggle was given")
            draft.drop_doubts("upload")
            doubt = "upload: local, since no competition on Kaggle is known; for one, give its address: "
            doubt += variable("COMPETITION", "https://www.kaggle.com/competitions/...")
            draft.doubts.append(doubt)
        facts["upload"] = "local"
    else:
        folder = "datasets" if "/" in source["slug"] else "competitions"
        facts["url"] = f"https://www.kaggle.com/{folder}/{source['slug']}"
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


def _baseline(draft: Draft) -> str:
    """Returns the baseline as YAML, with the reason for each setting that is not the default."""
    size = min(MAX_BASELINE_SIZE, max(MIN_BASELINE_SIZE, draft.largest_side or MAX_BASELINE_SIZE))
    reason = "the size of the largest image" if size == draft.largest_side else "small, for a CPU"
    epochs = min(MAX_BASELINE_EPOCHS, max(1, round(BASELINE_IMAGES / max(1, draft.num_images))))
    rule = f"{BASELINE_IMAGES:,} / {count_of(draft.num_images, 'image')}, at least 1, at most {MAX_BASELINE_EPOCHS}"
    return (
        "# A small net for a CPU, for a first score; not measured. Better: RECIPE=gpu, or mobilenet without a GPU\n"
        f"images: {{size: {size}, fit: pad}} # {reason}; pad: proportions stay\n"
        f"training: {{epochs: {epochs}}} # {rule}\n"
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
        extends = "gpu_radiograph # X-rays" if is_radiograph else "gpu # grey images; for X-rays: gpu_radiograph"
        return f"extends: {extends}\n{size}"
    if is_small:
        return f"extends: gpu_small # small images in colour; for stained tissue: gpu_histology\n{size}"
    return "extends: gpu # of competition/_base: large images; with few positives: gpu_screening\n"


def folder_files(name: str, facts: dict[str, Any], draft: Draft) -> dict[str, str]:
    """Returns the files of a competition folder: text by file name.

    Args:
        name: slug of the competition.
        facts: content of competition.yaml.
        draft: draft of these facts; its reasons and doubts become comments of competition.yaml.
    """
    labels = {key: value for key, value in facts["labels"].items() if (key, value) != ("layout", "wide")}  # the default
    text = yaml.dump(facts | {"labels": labels}, sort_keys=False, allow_unicode=True, width=110, Dumper=_Dumper)
    metrics = ", ".join(metric.name for metric in METRICS.all() if facts["task"] in metric.tasks)
    is_own = facts["source"]["kind"] == "own"
    to_fill_in = f"for example {SUGGESTED_METRICS[facts['task']]}" if is_own else "see its page"
    text = text.replace("metric: null", f"metric: # fill in, {to_fill_in}; all: {metrics}", 1)
    text = text.replace("symmetry: none\n", f"symmetry: none # {SYMMETRY_COMMENT}\n", 1)
    text = _with_reasons(text, {key: reason for key, _, reason in draft.reasons})
    # The doubt about the upload of own data says how to repeat `make new`: nothing to change in the file.
    text = _with_doubts(text, [doubt for doubt in draft.doubts if not (is_own and doubt.startswith("upload:"))])
    command = f"# make train COMPETITION={name}"
    gpu_recipe = _gpu_recipe(facts, draft.largest_side)
    others = ", ".join(name for name in SHARED_GPU_RECIPES if f"extends: {name} " not in gpu_recipe)
    gpu = f"{command} RECIPE=gpu\n# For a GPU; not measured yet. What it extends was guessed from the images; "
    gpu += f"the others:\n# {others}\n{gpu_recipe}"
    from_folder = " FROM=folder-or-archive" if is_own else ""
    commands = (f"export COMPETITION={name}", f"make download{from_folder}", *(f"make {target}" for target in STEPS))
    steps = "\n".join(f"    {command}" for command in commands)
    about = f"{facts.get('url', 'Your own data.')}\n\nTo be written: the task, the number of images, the licence."
    sections = "\n\n".join(f"## {heading}\n\n{to_do}" for heading, to_do in README_SECTIONS.items())
    readme = f"# {name}\n\n{about}\n\n{steps}\n\n{sections}\n"
    return {
        "competition.yaml": f"# Guessed by make new from the files of the competition: check each line.\n{text}",
        "baseline.yaml": f"{command}\n{_baseline(draft)}",
        "gpu.yaml": gpu,
        "README.md": readme,
    }


def _with_reasons(text: str, reasons: dict[str, str]) -> str:
    """Adds reasons as comments, behind the line of a key or, where it is too long, above it.

    Args:
        text: YAML of at most two levels, mappings as blocks.
        reasons: reason of each key, such as `labels.id`; those of keys that are not in the text are left out.
    """
    commented = []
    lines = text.splitlines()
    for line, following, key in zip(lines, [*lines[1:], ""], _keys_of_lines(lines), strict=True):
        indent = " " * (len(line) - len(line.lstrip()))
        reason = reasons.get(key, "")
        is_single_line = not following.startswith(f"{indent}  ")
        if reason and is_single_line and len(line) + len(reason) + 3 <= MAX_LINE_LENGTH:
            line = f"{line} # {reason}"
        elif reason:
            commented.append(f"{indent}# {reason}")
        commented.append(line)
    return "\n".join(commented) + "\n"


def _with_doubts(text: str, doubts: list[str]) -> str:
    """Adds doubts as comments `# check <key>: ...`: above the line of the key, else at the top of its section or file.

    Args:
        text: YAML of at most two levels, mappings as blocks.
        doubts: texts that begin with a key, such as `labels.group: ...`, or are about the files as a whole.
    """
    lines = text.splitlines()
    for doubt in reversed(doubts):
        key = doubt.partition(":")[0]
        section, dot, _ = key.partition(".")
        keys = _keys_of_lines(lines)
        is_in_section = bool(dot) and section in keys
        first_line = keys.index(section) + 1 if is_in_section else 0
        position = keys.index(key) if key in keys else first_line
        indent = "  " if is_in_section else ""
        lines[position:position] = textwrap.wrap(
            f"check {doubt}", MAX_LINE_LENGTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
        )
    return "\n".join(lines) + "\n"


def _keys_of_lines(lines: list[str]) -> list[str]:
    """Returns the key of each line, such as `labels` or `labels.id`; "" for lines without one."""
    keys, section = [], ""
    for line in lines:
        indent, key = re.match(r"( {0,2})(?:(\w+):)?", line).groups()
        section = key if key and not indent else section
        keys.append((f"{section}.{key}" if indent else key) if key else "")
    return keys


class _Dumper(yaml.SafeDumper):
    """Dumper in the style of the shipped files: sections as blocks, the rest on one line, double quotes."""

    _depth = 0  # of the mapping that is represented: 1 for the file, 2 for its sections

    def check_simple_key(self):
        """Allows an empty text as a simple key: {'': null}."""
        return getattr(self.event, "value", None) == "" or super().check_simple_key()

    def choose_scalar_style(self):
        """Prefers double quotes, except around a backslash, which they would escape; patterns always have them."""
        style = super().choose_scalar_style()
        needs_quotes = style == "'" or "{" in self.event.value
        return '"' if needs_quotes and "\\" not in self.event.value else style

    def represent_mapping(self, tag, mapping, flow_style=None):
        """Writes the section `source`, and mappings within sections, on one line."""
        self._depth += 1
        node = super().represent_mapping(tag, mapping, flow_style="kind" in mapping or self._depth > 2)
        self._depth -= 1
        return node

    def represent_sequence(self, tag, sequence, flow_style=None):
        return super().represent_sequence(tag, sequence, flow_style=True)
