"""YAML in the style of the shipped facts, with reasons and doubts as comments."""

import pytest
import yaml

from medfold.scaffold.commented_yaml import MAX_LINE_LENGTH, add_doubts, add_reasons, dump_yaml
from medfold.scaffold.draft import Doubt

VALUES = {"task": "binary", "labels": {"map": {"": None}, "targets": ["no"]}, "images": {"train": "{id}.png"}}
TEXT = """\
task: binary
labels:
  map: {"": null}
  targets: ["no"]
images:
  train: "{id}.png"
"""


def test_mappings_are_blocks_and_what_is_in_them_is_on_one_line():
    assert dump_yaml(VALUES) == TEXT
    assert yaml.safe_load(TEXT) == VALUES


def test_reason_is_behind_its_key_or_above_it_where_the_line_is_too_long():
    reasons = {"task": "two values", "labels.targets": "x" * MAX_LINE_LENGTH, "labels": "a block", "labels.id": "none"}
    lines = add_reasons(TEXT, reasons).splitlines()
    assert lines[0] == "task: binary # two values"
    assert lines[1:3] == ["# a block", "labels:"]
    assert lines[4:6] == [f"  # {'x' * MAX_LINE_LENGTH}", '  targets: ["no"]']
    assert len(lines) == len(TEXT.splitlines()) + 2


def test_doubts_are_above_their_key_or_at_the_top_in_their_order():
    doubts = [("", "a/ is a copy"), ("task", "why"), ("labels.targets", "which"), ("labels.id", "where")]
    text = add_doubts(TEXT, [Doubt(key, what) for key, what in (*doubts, ("labels.id", "what"))])
    assert (
        text
        == """\
# check a/ is a copy
# check task: why
task: binary
labels:
  # check labels.id: where
  # check labels.id: what
  map: {"": null}
  # check labels.targets: which
  targets: ["no"]
images:
  train: "{id}.png"
"""
    )


@pytest.mark.parametrize("name", ["a\nsource: {kind: url}", "a\x1b[2J", "a\x07", "a\u2028source: x", "a\r\ntask: x"])
def test_names_from_tables_cannot_end_a_comment(name):
    reasons = {"task": f"values {name}", "labels": name}
    text = add_doubts(add_reasons(TEXT, reasons), [Doubt("labels.targets", f"unclear: {name}"), Doubt("", name)])
    assert yaml.safe_load(text) == VALUES
    assert len([line for line in text.splitlines() if not line.lstrip().startswith("#")]) == len(TEXT.splitlines())
