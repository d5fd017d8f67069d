"""The facts of the training of a run, and what counts as another meaning of its predictions."""

import pytest

from medfold import config
from medfold.competition import Competition
from medfold.runs.checks.same_facts import (
    IDENTITY_FACTS,
    check_same_facts,
    facts_of_run,
    find_changed_fact,
    shared_facts,
)
from medfold.runs.run import Run
from medfold.system import json_files
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.fixture
def run(folded):
    finished_run(folded, "one")
    return Run.open(folded, "one")


def with_fact(competition, key, value):
    """Returns the competition with another value of a fact."""
    facts = competition.facts.model_dump()
    *sections, last = key.split(".")
    section = facts
    for name in sections:
        section = section[name]
    section[last] = value
    return Competition(competition.project_paths, competition.paths, type(competition.facts).model_validate(facts))


def test_facts_of_today_may_have_other_titles(folded, run):
    today = with_fact(folded, "title", "another")
    assert find_changed_fact(today, run) is None
    assert facts_of_run(today, run) == folded.facts


@pytest.mark.parametrize(
    ("key", "value", "texts"),
    [
        ("classes", ["1", "0"], "[0, 1], now it is [1, 0]"),
        ("images.range", (0, 100), "not set, now it is [0.0, 100.0]"),
        ("score.aggregate", "max", "mean, now it is max"),
        ("folds.k", 4, "3, now it is 4"),
    ],
)
def test_changed_fact_is_named_with_both_values(folded, run, key, value, texts):
    assert key in IDENTITY_FACTS
    with refused("run 'one' was trained with") as caught:
        check_same_facts(with_fact(folded, key, value), run)
    assert f"competition.yaml: run 'one' was trained with '{key}': {texts}. " in str(caught.value)
    check_same_facts(with_fact(folded, key, value), run, tuple(other for other in IDENTITY_FACTS if other != key))


def test_spelled_out_default_classes_are_the_same(folded, run):
    assert folded.facts.classes is None
    check_same_facts(with_fact(folded, "classes", ["0", "1"]), run)


def test_facts_that_are_no_longer_valid_are_refused(folded, run):
    recorded = json_files.read(run.paths.metadata)
    json_files.write({**recorded, "facts": recorded["facts"] | {"task": "ordinal"}}, run.paths.metadata, sealed=True)
    with refused("run 'one' was trained with facts that are no longer valid"):
        facts_of_run(folded, Run.open(folded, "one"))


def test_keys_that_are_newer_than_the_run_have_todays_values(folded, run):
    recorded = json_files.read(run.paths.metadata)
    facts = {key: value for key, value in recorded["facts"].items() if key != "score"}
    json_files.write({**recorded, "facts": facts}, run.paths.metadata, sealed=True)
    today = with_fact(folded, "score.aggregate", "max")
    older = Run.open(folded, "one")
    assert facts_of_run(today, older).score.aggregate == "max"
    assert config.flat(facts_of_run(today, run).model_dump())["score.aggregate"] == "mean"


def test_runs_of_different_facts_have_no_facts_in_common(folded):
    finished_run(folded, "one")
    finished_run(folded, "two")
    runs = [Run.open(folded, name) for name in ("one", "two")]
    assert shared_facts(folded, runs) == folded.facts
    recorded = json_files.read(runs[1].paths.metadata)
    recorded["facts"]["score"]["aggregate"] = "max"
    json_files.write(recorded, runs[1].paths.metadata, sealed=True)
    with refused(
        "RUNS: the runs were trained with different 'score.aggregate': one with mean, two with max. Name runs"
    ):
        shared_facts(folded, [runs[0], Run.open(folded, "two")])
