"""Runs of a trained project: seeds, marks of their scores, and what is refused."""

import json

import pandas as pd
import pytest

from medfold.commands.scores import scores
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import parse_overrides, run_name
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


def test_run_of_another_recipe_is_refused(competition):
    with refused("recipe.training.epochs was 2, now 1"):
        train(competition, overrides=parse_overrides("training.epochs=1"), run="baseline")


@pytest.mark.parametrize("fold", [-1, 3])
def test_fold_out_of_range_is_refused(competition, fold):
    with refused(f"FOLD={fold}: there is no fold {fold}. Choose 0 to 2, or all"):
        train(competition, folds=[fold])


def test_submission_of_an_untrained_run_is_refused(competition):
    with refused("run 'other' is not trained.*Trained so far: baseline"):
        submit(competition, run_names=["other"])


@pytest.mark.slow
def test_each_seed_is_a_run_and_runs_are_blended(competition, capsys):
    one = parse_overrides("training.epochs=1")
    train(competition, overrides=one, seeds=[0, 3], folds=[0])
    submit(competition, [run_name("baseline", seed, one) for seed in (0, 3)])
    assert "covers 1 of 3 folds" in capsys.readouterr().out
    row = pd.read_csv(competition.project_paths.ledger, dtype=str).iloc[-1]
    names = row["runs"].split()
    assert names[0].startswith("baseline-")
    assert names[1].startswith("baseline-s3-")
    with refused("train the missing folds of baseline-"):
        submit(competition, run_names=["baseline", names[0]])


@pytest.mark.slow
def test_optimistic_scores_are_marked(competition, capsys):
    best = parse_overrides("training.keep=best training.epochs=1")
    train(competition, overrides=best, folds=[0], run="best")
    assert "OPTIMISTIC" in capsys.readouterr().out
    assert json.loads(competition.paths.run("best").score.read_text())["is_optimistic"] is True


def test_scores_of_another_metric_are_counted_but_not_shown(folded, capsys):
    finished_run(folded)
    submit(folded)
    facts = folded.paths.facts_file
    facts.write_text(facts.read_text().replace("metric: auc", "metric: log_loss"))
    capsys.readouterr()
    scores(folded.project_paths, "small")
    said = capsys.readouterr().out
    assert "1 more were scored by a different metric, and cannot be compared: 1 by auc" in said
    assert "baseline" not in said
