"""The files of a new competition folder."""

import pytest
import yaml

from medfold.scaffold.competition_folder import folder_files
from medfold.scaffold.draft import Doubt, Draft, Reason


@pytest.mark.parametrize(("layout", "expected"), [("wide", "labels:\n  targets: [grade]\n"), ("folders", None)])
def test_drafted_facts_leave_out_the_default_layout_and_explain_symmetry(layout, expected):
    facts = {
        "source": {"kind": "own"},
        "task": "binary",
        "labels": {"layout": layout, "targets": ["grade"]},
        "images": {"train": "{id}.png", "symmetry": "none"},
    }
    text = folder_files("theirs", Draft(facts))["competition.yaml"]
    assert (expected or "labels:\n  layout: folders\n  targets: [grade]\n") in text
    assert "symmetry: none # horizontal or dihedral, if images may be mirrored or turned\n" in text
    assert yaml.safe_load(text)["images"]["symmetry"] == "none"


def test_reasons_of_the_guesses_are_comments_of_the_facts():
    facts = {
        "source": {"kind": "own"},
        "task": "multilabel",
        "labels": {"layout": "folders", "targets": [f"finding number {number}" for number in range(12)]},
        "images": {"train": "{id}.png", "channels": 1},
    }
    reasons = [
        Reason("task", "multilabel", "12 target columns"),
        Reason("images.channels", "1", "24 of the 24 images examined are grey"),
        Reason("labels.targets", "...", "columns of 0 and 1"),
        Reason("labels.id", "id", "the default, so not written"),
    ]
    text = folder_files("theirs", Draft(facts, reasons=reasons))["competition.yaml"]
    assert "task: multilabel # 12 target columns\n" in text
    assert "  channels: 1 # 24 of the 24 images examined are grey\n" in text
    assert "  # columns of 0 and 1\n  targets: [" in text
    assert "not written" not in text
    assert yaml.safe_load(text) == facts
    assert all(len(line) <= 120 for line in text.splitlines())


def test_drafted_facts_are_in_the_style_of_the_shipped_ones():
    facts = {
        "source": {"kind": "kaggle", "slug": "theirs"},
        "task": "binary",
        "labels": {"targets": ["no"], "group_pattern": "[a-z]\\d+"},
        "images": {"train": "{id}.png"},
    }
    text = folder_files("theirs", Draft(facts))["competition.yaml"]
    assert "source: {kind: kaggle, slug: theirs}\n" in text
    assert '  targets: ["no"]\n' in text
    assert "  group_pattern: '[a-z]\\d+'\n" in text
    assert '  train: "{id}.png"\n' in text
    assert yaml.safe_load(text) == facts


def test_doubts_are_comments_above_their_key_or_at_the_top_of_its_section():
    facts = {
        "source": {"kind": "own"},
        "task": "ordinal",
        "labels": {"layout": "folders", "targets": ["grade"]},
        "images": {"train": "{label}/{id}.png"},
    }
    doubts = [
        Doubt("", "copy/ is a second copy of the files beside it: not used"),
        Doubt("task", "ordinal if a higher number is a higher grade, else multiclass"),
        Doubt("labels.group_pattern", "do the file names contain patient ids?"),
        Doubt("images.train", "a long text, " * 20),
    ]
    text = folder_files("theirs", Draft(facts, doubts=doubts))["competition.yaml"]
    lines = text.splitlines()
    assert lines[1] == "# check copy/ is a second copy of the files beside it: not used"
    assert "# check task: ordinal if a higher number is a higher grade, else multiclass\ntask: ordinal\n" in text
    assert "labels:\n  # check labels.group_pattern: do the file names contain patient ids?\n" in text
    assert "images:\n  # check images.train: a long text" in text
    assert yaml.safe_load(text) == facts
    assert all(len(line) <= 120 for line in lines)


def test_mappings_within_sections_are_on_one_line():
    facts = {"source": {"kind": "own"}, "task": "binary", "labels": {"map": {"": None, "-1": "1"}}, "images": {}}
    text = folder_files("theirs", Draft(facts, reasons=[Reason("labels.map", "", "2 rows")]))["competition.yaml"]
    assert '  map: {"": null, "-1": "1"} # 2 rows\n' in text
    assert yaml.safe_load(text) == facts
