"""The OOF predictions and score of a run are those of its trained folds; damaged folds are left out, and named."""

import pandas as pd
import pytest

from medfold.data import make_dataset
from medfold.errors import UserError
from medfold.runs.oof import read_score, self_check_warnings, write_oof
from medfold.system import json_files
from tests.support.finished_runs import finished_run


@pytest.fixture
def run(folded):
    finished_run(folded, "noise")
    return folded.paths.run("noise")


def rewritten(folded, run):
    dataset = make_dataset(folded)
    return write_oof(folded.facts, run, dataset.train, dataset.targets)


def test_oof_holds_each_training_sample_once(folded, run):
    score = rewritten(folded, run)
    oof = pd.read_csv(run.oof)
    assert sorted(oof["id"]) == sorted(make_dataset(folded).train["id"])
    assert score.trained_folds == [0, 1, 2]
    assert json_files.read(run.score) == score.content()
    assert read_score(run) == score


def test_damaged_fold_is_left_out_and_named(folded, run, capsys):
    run.fold(1).test.write_text("id\n")
    score = rewritten(folded, run)
    assert score.trained_folds == [0, 2]
    assert set(pd.read_csv(run.oof)["fold"]) == {0, 2}
    warning = " ".join(capsys.readouterr().out.split())
    assert (
        "fold 1 test.csv: missing or changed since the training; not in the score. To train it again: make" in warning
    )


def test_run_without_a_trained_fold_has_no_score(folded, run):
    for number in range(3):
        run.fold(number).trained_marker.unlink()
    before = run.score.read_bytes()
    assert rewritten(folded, run) is None
    assert run.score.read_bytes() == before


def test_warnings_of_the_self_check_are_part_of_the_score(folded, run):
    json_files.write(["the loss did not go down"], run.fold(2).self_check_warnings)
    json_files.write([], run.fold(0).self_check_warnings)
    assert self_check_warnings(run, [0, 1, 2]) == {"2": ["the loss did not go down"]}
    rewritten(folded, run)
    assert json_files.read(run.score)["self_check_warnings"] == {"2": ["the loss did not go down"]}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda score: None, "'metric' is missing"),
        (lambda score: [], "'metric' is missing"),
        (lambda score: {key: value for key, value in score.items() if key != "high"}, "'high' is missing"),
        (lambda score: score | {"value": "x"}, "'value': expected a number, received 'x'"),
    ],
)
def test_damaged_score_is_named_with_what_computes_it_again(run, change, problem):
    json_files.write(change(json_files.read(run.score)), run.score)
    with pytest.raises(UserError, match=rf"score\.json: {problem}\. To compute it again, run: make train .*RUN=noise"):
        read_score(run)
    run.score.unlink()
    assert read_score(run) is None
