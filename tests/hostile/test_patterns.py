"""Patterns of others end in one line: those that are none, and those that would search for years."""

from pathlib import Path

import pytest

from medfold.data.label_layouts import image_columns
from medfold.raw_files import path_patterns
from tests.layouts.clinic import FACTS, medfold
from tests.support.helpers import replaced

pytestmark = pytest.mark.slow

FACTS_FILE = Path("competition/clinic/competition.yaml")
PATTERNS = [
    "{}",
    "{id",
    "id}",
    "{{id}",
    "{id!z}",
    "{id!r}",
    "{id:999999999d}",
    "{id:0999999999d}",
    "{id:<99999999999999999999}",
    "{id:.999999999f}",
    "{id:{id}}",
    "{id:x}",
    "{id:\\u0660d}",
    "{a b}",
    "{id.__class__}",
    "{id[0]}",
    "{0}",
    "{id!}",
    "{:5}",
    "{!r}",
]
KEYS = {
    "images.train": 'train: "train/{id}.png"',
    "images.test": 'test: "test/{id}.png"',
    "score.unit": "score: {metric: auc}",
    "labels.id": "  id: id",
}


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("key", KEYS)
def test_a_text_that_is_no_pattern_is_refused(key, pattern, clinic, refusal):
    clinic("downloaded")
    old = KEYS[key]
    new = {
        "images.train": f'train: "train/{pattern}.png"',
        "images.test": f'test: "test/{pattern}.png"',
        "score.unit": f'score: {{metric: auc, unit: "{pattern}"}}',
        "labels.id": f'  id: "{pattern}"',
    }[key]
    FACTS_FILE.write_text(FACTS.replace(old, new))
    refusal("folds", "-c", "clinic")


@pytest.fixture
def short_limits(monkeypatch):
    monkeypatch.setattr(image_columns, "PATTERN_SECONDS", 0.1)
    monkeypatch.setattr(path_patterns, "PATTERN_SECONDS", 0.1)


@pytest.mark.parametrize(
    "pattern",
    [
        "(i*)*$x",
        "(i+)+x",
        "(i|i)*x",
        "(i|ii)+x",
        "(?:(?:i+)+)+x",
        "^(([i])+.?)+[x]",
        "(.*)*(.*)*(.*)*x",
        "(i?){40}i{40}x",
    ],
)
def test_a_regular_expression_that_never_ends_is_stopped(pattern, clinic, refusal, short_limits):
    clinic("downloaded")
    table = Path("data/clinic/raw/train.csv")
    rows = table.read_text().splitlines()
    Path("given/train.csv").write_text("\n".join([rows[0], *("i" * 60 + row for row in rows[1:])]) + "\n")
    for path in Path("given/train").iterdir():
        path.rename(path.with_name("i" * 60 + path.name))
    FACTS_FILE.write_text(replaced(FACTS, ("  group: patient", f"  group_pattern: '{pattern}'")))
    line = refusal("download", "-c", "clinic", "--from", "given", "--force")
    assert "labels.group_pattern': takes too long" in line


@pytest.mark.parametrize(
    "pattern", ["(", "[", "*", "(?P<1>x)", "(?<=x*)", "x{5,1}", "(" * 900, "x" * 5000, "\\\\1", "(?P=group)", "(?i"]
)
def test_a_text_that_is_no_regular_expression_is_refused(pattern, clinic, refusal):
    clinic("downloaded")
    FACTS_FILE.write_text(replaced(FACTS, ("  group: patient", f'  group_pattern: "{pattern}"')))
    assert "labels.group_pattern" in refusal("folds", "-c", "clinic")


def test_many_fields_that_never_end_are_stopped(clinic, refusal, short_limits):
    clinic("bare")
    for name in ("no", "yes"):
        Path("given", name).mkdir()
        Path("given/train/i00.png").rename(Path("given", name, "-" * 150 + name + ".png"))
        Path("given/train/i01.png").rename(Path("given/train/i00.png")) if name == "no" else None
    fields = "-".join(f"{{f{number}}}" for number in range(20))
    facts = replaced(FACTS, ("  file: train.csv\n  id: id\n", "  layout: folders\n"), ("  group: patient\n", ""))
    facts = replaced(facts, ('"train/{id}.png"', f'"{{label}}/{{id}}{fields}x.png"'), (', test: "test/{id}.png"', ""))
    facts = replaced(
        facts,
        ("targets: [finding]", "targets: [finding]\n  holdout: 0.3"),
        ("submission: {sample: sample_submission.csv}\n", ""),
    )
    FACTS_FILE.write_text(facts)
    assert "takes too long to match" in refusal("download", "-c", "clinic", "--from", "given")


@pytest.mark.parametrize("pattern", ["train/{id:03d}.png", "train/{id:0>3}.png", "train/{id:>3}.png"])
def test_paddings_still_work(pattern, clinic):
    clinic("downloaded")
    FACTS_FILE.write_text(replaced(FACTS, ("train/{id}.png", pattern)))
    assert medfold("folds", "-c", "clinic").code == 0


@pytest.mark.parametrize("pattern", ["i\\d", "(?P<group>i\\d)\\d", "(i\\d)\\d", "(?i)I\\d", "(?:i)(\\d)(?=\\d)"])
def test_regular_expressions_keep_their_meaning(pattern, clinic):
    clinic("downloaded")
    FACTS_FILE.write_text(replaced(FACTS, ("  group: patient", f"  group_pattern: '{pattern}'")))
    assert medfold("folds", "-c", "clinic").code in (0, 2)
