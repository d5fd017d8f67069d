"""The score of a run, recomputed."""

import re

import pytest

from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.competition import Competition, CompetitionFacts
from medfold.recheck.run_check import run_differences
from medfold.system import json_files
from tests.support.finished_runs import finished_run
from tests.support.rechecks import RUN_CHANGES
from tests.support.small_project import add_variant


@pytest.mark.slow
@pytest.mark.parametrize(
    ("facts", "later"),
    [
        ("score: {metric: fbeta, beta: 2}", "score: {metric: auc}"),
        ("score: {metric: fbeta, beta: 2}", "score: {metric: fbeta, beta: 1}"),
        ("score: {metric: accuracy, more_metrics: [auc]}", "score: {metric: auc}"),
    ],
)
def test_score_is_recomputed_by_the_facts_saved_with_it(folded, facts, later, capsys):
    folder = add_variant(folded.project_paths.root, "other", "score: {metric: auc}", facts)
    competition = Competition.open("other")
    finished_run(competition, "one", 1.0)
    submit(competition, run_names=["one"], force=True)
    text = (folder / "competition.yaml").read_text()
    (folder / "competition.yaml").write_text(text.replace(facts, later))
    capsys.readouterr()
    recheck(Competition.open("other"))
    assert capsys.readouterr().out.count("recomputed: identical") == 2


def differences(competition, run_paths) -> list[str]:
    """Returns the differences of a run, by the facts saved with its score."""
    facts = competition.facts.model_dump() | json_files.read(run_paths.score)["facts"]
    return list(run_differences(CompetitionFacts.model_validate(facts), competition.paths, run_paths))


def test_unchanged_run_has_no_differences(folded):
    finished_run(folded, "one")
    assert differences(folded, folded.paths.run("one")) == []


@pytest.mark.parametrize(("change", "difference"), RUN_CHANGES.values(), ids=RUN_CHANGES)
def test_each_change_is_named(folded, change, difference):
    finished_run(folded, "one")
    change(folded.paths.run("one"))
    assert re.fullmatch(difference, differences(folded, folded.paths.run("one"))[0])
