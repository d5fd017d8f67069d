"""make compare and make runs: differences between runs, and the list of runs."""

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
def two_runs(folded):
    finished_run(folded, "weak", 0.3)
    finished_run(folded, "strong", 2.0)
    return folded


def test_compare_shows_better_run_with_probability(two_runs, capsys):
    difference = compare(two_runs, ["weak", "strong"])
    shown = capsys.readouterr().out
    assert difference.low > 0
    assert "strong beats weak beyond chance" in shown
    assert "better in 100% of the resamples" in shown
    back = compare(two_runs, ["strong", "weak"])
    assert back.value == pytest.approx(-difference.value)
    assert "strong beats weak beyond chance" in capsys.readouterr().out


def test_equally_good_runs_do_not_differ_beyond_chance(two_runs, capsys):
    finished_run(two_runs, "weak2", 0.3)
    compare(two_runs, ["weak", "weak2"])
    assert "no difference beyond chance" in capsys.readouterr().out
    same = compare(two_runs, ["weak", "weak"])
    assert (same.value, same.low, same.high, same.probability) == (0, 0, 0, 0.5)


def test_several_runs_are_compared_as_their_mean(two_runs, capsys):
    finished_run(two_runs, "strong2", 2.0)
    difference = compare(two_runs, ["strong", "strong+strong2"])
    assert difference.value > 0
    assert "strong+strong2" in capsys.readouterr().out


def test_runs_are_compared_on_common_folds(two_runs, capsys):
    finished_run(two_runs, "begun", 2.0, folds=[1])
    compare(two_runs, ["weak", "begun"])
    assert "folds 1, which all have" in capsys.readouterr().out
    finished_run(two_runs, "other", 2.0, folds=[2])
    with pytest.raises(UserError, match="no trained fold in common"):
        compare(two_runs, ["begun", "other"])


def test_better_run_wins_where_lower_is_better(folded, capsys):
    add_variant(folded.workspace.root, "loss", "metric: auc", "metric: log_loss")
    project = Project.open("loss")
    finished_run(project, "weak", 0.0)
    finished_run(project, "strong", 2.0)
    difference = compare(project, ["weak", "strong"])
    assert difference.value > 0
    assert not metric_of(project.competition).higher_is_better
    assert "strong beats weak" in capsys.readouterr().out


def test_optimistic_run_is_flagged(two_runs, capsys):
    finished_run(two_runs, "peeked", 2.0, best=True)
    compare(two_runs, ["weak", "peeked"])
    assert "OPTIMISTIC: the epochs of peeked were chosen" in capsys.readouterr().out


@pytest.mark.parametrize("sides", [["weak"], ["weak", "strong", "weak"]])
def test_compare_refuses_other_than_two_sides(two_runs, sides):
    with pytest.raises(UserError, match=f"expected two runs, received {len(sides)}"):
        compare(two_runs, sides)


def test_list_runs_puts_best_complete_run_first(two_runs, capsys):
    finished_run(two_runs, "begun", 3.0, folds=[1])
    finished_run(two_runs, "peeked", 1.0, best=True)
    list_runs(two_runs)
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[2:]]
    assert names == ["strong", "peeked", "weak", "begun"]
    assert "OPTIMISTIC training.keep=best" in lines[3]
    assert "1/3" in lines[5]


def test_list_runs_hides_scores_of_another_metric(two_runs, capsys):
    finished_run(two_runs, "other", 3.0)
    score = files.read_json(two_runs.paths.run("other").score)
    files.write_json({**score, "metric": "log_loss", "value": 0.1}, two_runs.paths.run("other").score)
    list_runs(two_runs)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["strong", "weak", "other"]
    assert "(scored by log_loss)" in lines[4]
    assert "0.1" not in lines[4]


def test_list_runs_shows_runs_on_older_folds_separately(two_runs, capsys):
    before = folds_fingerprint(two_runs.paths)
    two_runs.paths.facts.write_text(SMALL.replace("k: 3", "k: 4"))
    four = Project.open("small")
    make_folds(four, force=True)
    assert "kept as" in capsys.readouterr().out
    kept = two_runs.paths.older_folds(before)
    assert kept.is_file()
    assert kept.with_suffix(".json").is_file()
    finished_run(four, "new", 1.0)
    with pytest.raises(UserError, match="started on another folds table.* RUN=new-name"):
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


def test_remade_equal_folds_are_not_archived(two_runs, capsys):
    make_folds(two_runs, force=True)
    assert [path.name for path in two_runs.paths.folds.parent.glob("small*.csv")] == ["small.csv"]


def test_list_runs_names_untrained_runs_below_the_table(two_runs, capsys):
    finished_run(two_runs, "begun", 1.0, folds=[0])
    files.remove(two_runs.paths.run("begun").fold(0).folder)
    files.remove(two_runs.paths.run("strong").fold(1).folder)
    list_runs(two_runs)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["weak", "strong"]
    assert "2/3" in lines[3]
    assert "outdated score: make train computes it again" in lines[3]
    assert 'not shown, without a trained fold: begun (make runs COMPETITION=small DELETE="begun" removes' in lines[4]


def test_list_runs_ignores_settings_without_effect(two_runs, capsys):
    for name, recipe in (("weak", {"training": {"focal_gamma": 5.0}}), ("strong", {"training": {"ema": 0.5}})):
        origin = files.read_json(two_runs.paths.run(name).metadata)
        files.write_json(config.merge(origin, {"recipe": recipe}), two_runs.paths.run(name).metadata)
    list_runs(two_runs)
    said = capsys.readouterr().out
    assert "focal_gamma" not in said
    assert "training.ema=" in said


def test_list_runs_without_runs_raises(small):
    with pytest.raises(UserError, match="no run yet. Run: make train COMPETITION=small"):
        list_runs(small)


def test_compare_on_one_class_fold_is_undefined(folded, capsys):
    table = files.read_csv(folded.paths.folds, id=str)
    data = load_dataset(folded)
    positive = data.train.assign(target=data.targets).groupby("group")["target"].max()
    table["fold"] = np.where(table["group"].map(positive) == 0, 0, 1 + table["group"] % 2)
    files.write_csv(table, folded.paths.folds)
    for name in ("one", "two"):
        finished_run(folded, name, 1.0, folds=[0])
    difference = compare(folded, ["one", "two"])
    said = capsys.readouterr().out
    assert np.isnan([difference.value, difference.low, difference.probability]).all()
    assert "difference undefined: AUC is undefined on the compared folds" in said
    assert "verdict    undefined" in said
    assert "nan" not in said
    assert "no difference" not in said
    list_runs(folded)
    assert "nan" not in capsys.readouterr().out
