"""make compare: the difference between two runs, and whether it is beyond chance."""

from dataclasses import replace

import numpy as np
import pytest

from medfold.commands.compare import compare
from medfold.commands.runs import list_runs
from medfold.data import make_dataset
from medfold.runs import Comparison
from medfold.runs.comparison import Side
from medfold.scoring import Difference
from medfold.tables import read_csv, write_csv
from tests.support.finished_runs import finished_run


def test_compare_shows_better_run_with_probability(two_runs, capsys):
    difference = compare(two_runs, ["weak", "strong"]).difference
    shown = capsys.readouterr().out
    assert difference.low > 0
    assert "strong beats weak beyond chance" in shown
    scores = f"strong scores {difference.value:.4f} higher (95 % interval {difference.low:+.4f} to "
    assert scores in shown
    assert "; better in 100% of the resamples" in shown
    back = compare(two_runs, ["strong", "weak"]).difference
    assert back.value == pytest.approx(-difference.value)
    assert "strong beats weak beyond chance" in (shown := " ".join(capsys.readouterr().out.split()))
    assert f"weak scores {difference.value:.4f} lower (95 % interval " in shown
    assert "; better in 0% of the resamples" in shown


def test_equally_good_runs_do_not_differ_beyond_chance(two_runs, capsys):
    finished_run(two_runs, "weak2", 0.3)
    compare(two_runs, ["weak", "weak2"])
    assert "verdict    not proven: the 95 % interval contains 0" in capsys.readouterr().out


def test_sides_and_common_folds_are_shown(two_runs, capsys):
    finished_run(two_runs, "begun", 2.0, folds=[1])
    compare(two_runs, ["weak", "begun+strong"])
    shown = capsys.readouterr().out
    assert "fold 1, which all have" in shown
    assert "begun+strong" in shown


def test_optimistic_run_is_flagged(two_runs, capsys):
    finished_run(two_runs, "peeked", 2.0, best=True)
    compare(two_runs, ["weak", "peeked"])
    reason = "OPTIMISTIC: the epochs of peeked were chosen on the scored folds"
    assert f"{reason}: the comparison is biased in favour of peeked" in " ".join(capsys.readouterr().out.split())
    finished_run(two_runs, "peeked2", 2.0, best=True)
    compare(two_runs, ["peeked+weak", "peeked2"])
    output = " ".join(capsys.readouterr().out.split())
    assert "the epochs of peeked, peeked2 were chosen on the scored folds: both scores are too high" in output


def test_compare_on_one_class_fold_is_undefined(folded, capsys):
    table = read_csv(folded.paths.folds_table, id=str)
    dataset = make_dataset(folded)
    positive = dataset.train.assign(target=dataset.targets).groupby("group")["target"].max()
    table["fold"] = np.where(table["group"].map(positive) == 0, 0, 1 + table["group"] % 2)
    write_csv(table, folded.paths.folds_table)
    for name in ("one", "two"):
        finished_run(folded, name, 1.0, folds=[0])
    difference = compare(folded, ["one", "two"]).difference
    said = capsys.readouterr().out
    assert np.isnan([difference.value, difference.low, difference.probability]).all()
    assert "difference undefined: AUC is undefined on the compared folds" in said
    assert "verdict    undefined" in said
    assert "nan" not in said
    assert "not proven" not in said
    list_runs(folded)
    assert "nan" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("metric", "difference", "expected"),
    [
        (
            "auc",
            Difference(-0.0123, -0.0256, 0.001, 0.03),
            "b scores 0.0123 lower (95 % interval -0.0256 to +0.0010); better in 3% of the resamples",
        ),
        (
            "log_loss",
            Difference(0.0123, -0.001, 0.0256, 0.97),
            "b scores 0.0123 better (95 % interval -0.0010 to +0.0256); better in 97% of the resamples",
        ),
        (
            "log_loss",
            Difference(0.0123, 0.001, 0.0256, 0.99),
            "b scores 0.0123 better (95 % interval +0.0010 to +0.0256); better in 99% of the resamples",
        ),
        ("log_loss", Difference(-0.0123, np.nan, np.nan, np.nan), "b scores 0.0123 worse (no interval)"),
        ("auc", Difference(0.0, 0.0, 0.0, 0.5), "b scores the same as a (95 % interval +0.0000 to +0.0000)"),
    ],
)
def test_difference_is_described_with_its_interval(folded, capsys, monkeypatch, metric, difference, expected):
    sides = [Side(name, 0.5, 0.4, 0.6, []) for name in "ab"]
    better_side = "b" if difference.low > 0 else None
    comparison = Comparison(metric, sides, [0, 1, 2], 3, 60, difference, better_side)
    monkeypatch.setattr("medfold.commands.compare.compare_runs", lambda competition, names: comparison)
    score = folded.facts.score.model_copy(update={"metric": metric})
    compare(replace(folded, facts=folded.facts.model_copy(update={"score": score})), ["a", "b"])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"difference {expected} " in shown
    assert ("verdict b beats a beyond chance" in shown) is (better_side == "b")
