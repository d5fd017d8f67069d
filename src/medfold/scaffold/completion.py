"""Completes a draft of competition.yaml by what no file tells: title, source, upload, and the order of keys."""

from dataclasses import replace
from typing import Any

from medfold.scaffold.draft import Draft
from medfold.terminal.command_text import variable

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


def complete_draft(draft: Draft, name: str, source: dict[str, str]) -> Draft:
    """Completes the guessed facts to a full competition.yaml, in its order of keys.

    Args:
        draft: guessed facts; it stays as it is.
        name: slug of the competition.
        source: the settings under `source`: kind and, for Kaggle, slug.

    Returns:
        A draft with the content of competition.yaml, in which `score.metric` may be None; where the upload changes, its
        reasons and doubts do too.
    """
    completed = replace(draft, reasons=list(draft.reasons), doubts=list(draft.doubts))
    facts = {
        **draft.facts,
        "title": name.replace("-", " ").capitalize(),
        "source": source,
        "upload": _upload(completed, source),
        "score": {"metric": None, **draft.facts.get("score", {})},
        "images": {**draft.facts["images"], "symmetry": "none"},
    }
    if _has_default_id(facts):
        facts["submission"] = {key: value for key, value in facts["submission"].items() if key != "id"}
        completed.drop_reasons("submission.id")
    for section, keys in SECTION_KEY_ORDER.items():
        facts[section] = _in_order(facts[section], keys)
    completed.facts = _in_order(facts, KEY_ORDER)
    return completed


def _upload(draft: Draft, source: dict[str, str]) -> str:
    """Returns the kind of upload; for own data it is none, with its reason and a doubt in the draft."""
    guessed = draft.facts.get("upload", "none")
    if source["kind"] != "own" or guessed == "none":
        return guessed
    draft.drop_reasons("upload")
    draft.add_reason("upload", "none", "no address on Kaggle was given")
    draft.drop_doubts("upload")
    address = variable("COMPETITION", "https://www.kaggle.com/competitions/...")
    what = f"none, since no competition on Kaggle is known; for one, give its address: {address}"
    draft.add_doubt("upload", what)
    return "none"


def _has_default_id(facts: dict[str, Any]) -> bool:
    """Returns True if `submission.id` is there, and equals the default, `labels.id`."""
    submission = facts.get("submission", {})
    return submission.get("id") == facts["labels"].get("id", "id") and not facts["score"].get("unit")


def _in_order(values: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    return {key: values[key] for key in sorted(values, key=keys.index)}
