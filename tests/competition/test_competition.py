"""The open competition: its facts, those of a variant, and its name on Kaggle."""

import pytest

from medfold.competition.competition import Competition, find_competition
from medfold.paths import ProjectPaths
from tests.support.helpers import refused, replaced
from tests.support.small_project import SMALL, add_competition

VARIANTS = """
extends: shared
task: binary
score: {metric: auc}
variants:
  first:
    title: The first
    labels: {file: first.npz}
  second:
    title: The second
    task: multiclass
    classes: [0, 1, 2]
    score: {metric: mean_auc}
"""

SHARED = """
source: {kind: phantom}
upload: none
labels: {layout: arrays, file: x.npz, targets: [label]}
images: {channels: 1}
"""


@pytest.fixture
def variants(project_folder):
    add_competition(project_folder, "sets", VARIANTS)
    (project_folder / "competition" / "_base" / "shared.yaml").write_text(SHARED)
    return ProjectPaths.find()


def test_variants_share_a_folder_but_not_facts_or_data(variants):
    assert variants.competitions() == ["first", "second", "small"]
    first, second = (Competition.open(name, variants) for name in ("first", "second"))
    assert first.facts.title == "The first"
    assert (first.facts.labels.file, second.facts.labels.file) == ("first.npz", "x.npz")
    assert (first.facts.task, second.facts.task) == ("binary", "multiclass")
    assert first.paths.folder == second.paths.folder == variants.root / "competition" / "sets"
    assert first.paths.data != second.paths.data


def test_errors_in_facts_name_the_variant(variants):
    facts = variants.root / "competition" / "sets" / "competition.yaml"
    facts.write_text(facts.read_text().replace("title: The second", "titel: The second"))
    with refused("competition/sets/competition.yaml, second: .*unknown key 'titel'.*'title'"):
        Competition.open("second", variants)
    fix = r"All are folders of competition/\. To add it: make new COMPETITION=secnd"
    with refused(rf"unknown competition .did you mean 'second'..\. {fix}"):
        variants.competition("secnd")
    with refused("unknown competition .it is the folder of first, second."):
        variants.competition("sets")


def test_a_former_name_and_the_current_one_beside_it_are_refused_in_one_line(variants):
    facts = variants.root / "competition" / "sets" / "competition.yaml"
    facts.write_text(facts.read_text().replace("labels: {file: first.npz}", "labels: {shape: arrays, layout: arrays}"))
    with refused(r"competition\.yaml, first: 'labels\.shape' is the former name") as caught:
        Competition.open("first", variants)
    assert "\n" not in str(caught.value)


def test_a_former_name_in_a_variant_overrides_the_current_one(variants):
    facts = variants.root / "competition" / "sets" / "competition.yaml"
    base = variants.root / "competition" / "_base" / "shared.yaml"
    base.write_text(replaced(SHARED, ("layout: arrays", "layout: arrays, expected_counts: {train: 2}")))
    text = facts.read_text()
    for key in ("expected_counts", "counts"):
        facts.write_text(text.replace("file: first.npz", f"file: first.npz, {key}: {{train: 1}}"))
        assert Competition.open("first", variants).facts.labels.expected_counts == {"train": 1}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("small", "small"),
        ("https://www.kaggle.com/competitions/chest-x/data", "ours"),
        ("https://www.kaggle.com/datasets/someone/skin", "skin"),
    ],
)
def test_competition_is_found_by_name_or_address(project_folder, text, name):
    add_competition(
        project_folder, "ours", replaced(SMALL, ("title:", "url: https://www.kaggle.com/c/chest-x\ntitle:"))
    )
    assert find_competition(ProjectPaths.find(), text) == name


def test_other_address_is_refused(project_folder):
    with refused("neither a folder under competition/ nor a Kaggle address"):
        find_competition(ProjectPaths.find(), "https://example.org/data")
