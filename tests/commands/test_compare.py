import numpy as np
import pytest

from medfold import config, files
from medfold.commands.compare import compare
from medfold.commands.folds import make_folds
from medfold.commands.runs import list_runs
from medfold.commands.train import train
from medfold.competition.project import Project
from medfold.data.dataset import load_dataset
from medfold.errors import UserError
from medfold.folds.folds_table import folds_fingerprint
from medfold.scoring.metric import metric_of
from tests.conftest import SMALL, add_variant
from tests.support.helpers import finished_run


@pytest.fixture
def two(folded):
    finished_run(folded, "weak", 0.3)
    finished_run(folded, "strong", 2.0)
    return folded


def test_the_better_run_is_told_with_its_probability(two, capsys):
    difference = compare(two, ["weak", "strong"]).difference
    shown = capsys.readouterr().out
    assert difference.low > 0
    assert "strong beats weak beyond chance" in shown
    assert "better in 100% of the resamples" in shown
    back = compare(two, ["strong", "weak"]).difference
    assert back.value == pytest.approx(-difference.value)
    assert "strong beats weak beyond chance" in capsys.readouterr().out


def test_a_run_and_its_like_do_not_differ_beyond_chance(two, capsys):
    finished_run(two, "weak2", 0.3)
    compare(two, ["weak", "weak2"])
    assert "no difference beyond chance" in capsys.readouterr().out
    same = compare(two, ["weak", "weak"]).difference
    assert (same.value, same.low, same.high, same.probability) == (0, 0, 0, 0.5)


def test_several_runs_count_as_their_mean(two, capsys):
    finished_run(two, "strong2", 2.0)
    difference = compare(two, ["strong", "strong+strong2"]).difference
    assert difference.value > 0
    assert "strong+strong2" in capsys.readouterr().out


def test_runs_are_compared_on_the_folds_that_both_have(two, capsys):
    finished_run(two, "begun", 2.0, folds=[1])
    compare(two, ["weak", "begun"])
    assert "folds 1, which all have" in capsys.readouterr().out
    finished_run(two, "other", 2.0, folds=[2])
    with pytest.raises(UserError, match="no trained fold in common"):
        compare(two, ["begun", "other"])


def test_lower_may_be_better(folded, capsys):
    add_variant(folded.workspace.root, "loss", "metric: auc", "metric: log_loss")
    project = Project.open("loss")
    finished_run(project, "weak", 0.0)
    finished_run(project, "strong", 2.0)
    difference = compare(project, ["weak", "strong"]).difference
    assert difference.value > 0
    assert not metric_of(project.competition).higher_is_better
    assert "strong beats weak" in capsys.readouterr().out


def test_optimism_is_told(two, capsys):
    finished_run(two, "peeked", 2.0, best=True)
    compare(two, ["weak", "peeked"])
    assert "OPTIMISTIC: the epochs of peeked were chosen" in capsys.readouterr().out


@pytest.mark.parametrize("sides", [["weak"], ["weak", "strong", "weak"]])
def test_two_sides_are_compared(two, sides):
    with pytest.raises(UserError, match=f"expected two runs, received {len(sides)}"):
        compare(two, sides)


def test_all_runs_are_listed_the_best_of_all_folds_first(two, capsys):
    finished_run(two, "begun", 3.0, folds=[1])
    finished_run(two, "peeked", 1.0, best=True)
    list_runs(two)
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[2:]]
    assert names == ["strong", "peeked", "weak", "begun"]
    assert "OPTIMISTIC training.keep=best" in lines[3]
    assert "1/3" in lines[5]


def test_scores_that_do_not_compare_are_not_shown(two, capsys):
    finished_run(two, "other", 3.0)
    score = files.read_json(two.paths.run("other").score)
    files.write_json({**score, "metric": "log_loss", "value": 0.1}, two.paths.run("other").score)
    list_runs(two)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["strong", "weak", "other"]
    assert "(scored by log_loss)" in lines[4]
    assert "0.1" not in lines[4]


def test_runs_on_older_folds_keep_their_scores_and_stand_apart(two, capsys):
    before = folds_fingerprint(two.paths)
    two.paths.facts.write_text(SMALL.replace("k: 3", "k: 4"))
    four = Project.open("small")
    make_folds(four, force=True)
    assert "kept as" in capsys.readouterr().out
    kept = two.paths.older_folds(before)
    assert kept.is_file()
    assert kept.with_suffix(".json").is_file()
    finished_run(four, "new", 1.0)
    with pytest.raises(
        UserError, match="started on another folds table, and its scores belong to that one. .* RUN=new-name"
    ):
        train(four, run="weak")
    list_runs(four)
    said = capsys.readouterr().out
    today, older = said.split("on another folds table, ")
    assert today.splitlines()[-2].split()[0] == "new"
    assert "weak" not in today
    assert older.startswith(f"{four.display(kept)} (k 3, seed ")
    assert [line.split()[0] for line in older.splitlines()[2:]] == ["strong", "weak"]
    assert older.count("3/3") == 2
    assert "trained with another" not in older


def test_the_same_folds_made_again_are_not_kept_twice(two, capsys):
    make_folds(two, force=True)
    assert [path.name for path in two.paths.folds.parent.glob("small*.csv")] == ["small.csv"]


def test_runs_without_a_trained_fold_are_hidden_and_named(two, capsys):
    finished_run(two, "begun", 1.0, folds=[0])
    files.remove(two.paths.run("begun").fold(0).folder)
    files.remove(two.paths.run("strong").fold(1).folder)
    list_runs(two)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["weak", "strong"]
    assert "2/3" in lines[3]
    assert "outdated score: make train computes it again" in lines[3]
    assert 'not shown, without a trained fold: begun (make runs COMPETITION=small DELETE="begun" removes' in lines[4]


def test_what_a_recipe_says_and_training_does_not_do_makes_no_difference(two, capsys):
    for name, recipe in (("weak", {"training": {"focal_gamma": 5.0}}), ("strong", {"training": {"ema": 0.5}})):
        origin = files.read_json(two.paths.run(name).metadata)
        files.write_json(config.merge(origin, {"recipe": recipe}), two.paths.run(name).metadata)
    list_runs(two)
    said = capsys.readouterr().out
    assert "focal_gamma" not in said
    assert "training.ema=" in said


def test_no_run_is_one_line(small):
    with pytest.raises(UserError, match="no run yet. Run: make train COMPETITION=small"):
        list_runs(small)


def test_a_fold_of_one_class_is_undefined_and_no_verdict(folded, capsys):
    table = files.read_csv(folded.paths.folds, id=str)
    data = load_dataset(folded)
    positive = data.train.assign(target=data.targets).groupby("group")["target"].max()
    table["fold"] = np.where(table["group"].map(positive) == 0, 0, 1 + table["group"] % 2)
    files.write_csv(table, folded.paths.folds)
    for name in ("one", "two"):
        finished_run(folded, name, 1.0, folds=[0])
    difference = compare(folded, ["one", "two"]).difference
    said = capsys.readouterr().out
    assert np.isnan([difference.value, difference.low, difference.probability]).all()
    assert "difference undefined: AUC is undefined on the compared folds" in said
    assert "verdict    undefined" in said
    assert "nan" not in said
    assert "no difference" not in said
    list_runs(folded)
    assert "nan" not in capsys.readouterr().out
