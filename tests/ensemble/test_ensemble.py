"""Ensembles of runs, as make ensemble and make submit make them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medfold.commands.ensemble import ensemble
from medfold.commands.submit import submit
from medfold.competition import Competition
from medfold.data import make_dataset
from medfold.ensemble.ensemble import ensemble_runs
from medfold.runs import mark_fold_trained
from medfold.system import json_files
from medfold.tables import read_csv, write_csv
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused
from tests.support.small_project import add_variant


@pytest.fixture
def three_runs(folded):
    for name, quality in (("good", 1.5), ("fair", 1.0), ("noise", 0.0)):
        finished_run(folded, name, quality)
    return folded


def test_ensemble_shows_members_methods_and_choice(three_runs, capsys):
    ensemble(three_runs, ["good", "fair", "noise"])
    shown = capsys.readouterr().out
    for word in (
        "[3]  noise",
        "arithmetic mean",
        "selection",
        "stacking",
        "cross-fitted",
        "chosen",
        "OOF score",
        "ECE",
    ):
        assert word in shown
    assert 'make submit COMPETITION=small RUNS="good fair noise"' in shown
    one = next(line for line in shown.splitlines() if "[2]  good" in line)
    assert float(one.split()[2]) > 0.9


def test_score_of_a_fitted_method_is_cross_fitted(three_runs):
    dataset = make_dataset(three_runs)
    found = ensemble_runs(three_runs, ["good", "noise"], dataset, method_name="stacking")
    stacking = next(candidate for candidate in found.method_choice.candidates if candidate.method.name == "stacking")
    assert found.score.value == pytest.approx(stacking.cross_fitted, abs=1e-9)
    assert found.score.ensemble == {"method": "stacking"}
    assert found.score.low <= found.score.value <= found.score.high


def test_submission_of_several_runs_follows_its_recorded_weights(three_runs, capsys):
    submit(three_runs, run_names=["good", "noise"], method="selection")
    shown = capsys.readouterr().out
    (file,) = three_runs.paths.submissions.glob("*.csv")
    record = json.loads(file.with_suffix(".json").read_text())["score"]["ensemble"]
    assert record["method"] == "selection"
    weights = record["weights"]
    assert sum(weights.values()) == pytest.approx(1)
    assert f"weights good {weights['good']:.2f}" in shown
    folds = {
        name: sum(pd.read_csv(three_runs.paths.run(name).fold(k).test).set_index("id")["target"] for k in range(3)) / 3
        for name in weights
    }
    expected = sum(weights[name] * folds[name] for name in weights)
    written = pd.read_csv(file).set_index("id")["target"]
    assert (written - expected.loc[written.index]).abs().max() < 1e-8


def test_runs_of_other_folds_are_refused(three_runs):
    finished_run(three_runs, "part", folds=[0, 1])
    with refused("part has folds 0, 1, good has 0, 1, 2"):
        ensemble_runs(three_runs, ["good", "part"], make_dataset(three_runs))


def test_run_of_another_folds_table_is_refused(three_runs):
    dataset = make_dataset(three_runs)
    origin = json_files.read(three_runs.paths.run("fair").metadata)
    json_files.write({**origin, "folds_fingerprint": "0" * 64}, three_runs.paths.run("fair").metadata)
    with refused("fair: the run was trained on a different folds table"):
        ensemble_runs(three_runs, ["good", "fair"], dataset)


def test_untrained_run_is_refused(three_runs):
    with refused("run 'nobody' is not trained"):
        ensemble_runs(three_runs, ["good", "nobody"], make_dataset(three_runs))


def test_single_fold_is_combined_without_fitted_methods(folded, capsys):
    for name in ("a", "b"):
        finished_run(folded, name, folds=[1])
    ensemble(folded, ["a", "b"])
    shown = capsys.readouterr().out
    assert "covers 1 of 3 folds" in shown
    assert "rank mean" in shown
    assert "selection" not in shown


def test_optimistic_member_makes_the_ensemble_optimistic(three_runs):
    finished_run(three_runs, "peeked", best=True)
    found = ensemble_runs(three_runs, ["good", "peeked"], make_dataset(three_runs))
    assert found.score.is_optimistic is True


def test_prior_is_the_share_of_positive_units(folded):
    finished_run(folded, "one")
    dataset = make_dataset(folded)
    by_patient = replace(dataset, train=dataset.train.assign(unit=dataset.train["group"].astype(str)))
    expected = pd.Series(dataset.targets).groupby(by_patient.train["unit"].to_numpy()).max().mean()
    found = ensemble_runs(folded, ["one"], by_patient)
    assert found.prior.tolist() == found.fallback.tolist() == pytest.approx([expected])
    assert expected != pytest.approx(dataset.targets.mean())


def test_run_named_twice_counts_once(three_runs):
    found = ensemble_runs(three_runs, ["good", "good"], make_dataset(three_runs))
    assert found.run_names == ["good"]


def test_thresholds_are_applied_where_the_metric_gains(folded, capsys):
    add_variant(folded.project_paths.root, "decided", "metric: auc", "metric: macro_f1")
    competition = Competition.open("decided")
    finished_run(competition, "baseline", 1.0)
    for fold in range(3):  # all predictions too low, so that 0.5 is the wrong threshold
        paths = competition.paths.run("baseline").fold(fold)
        for file in (paths.oof, paths.test):
            table = read_csv(file)
            write_csv(table.assign(target=0.3 * table["target"]), file)
        mark_fold_trained(paths, (paths.oof, paths.test))
    submit(competition)
    shown = capsys.readouterr().out
    assert "fitted     post-processing by thresholds" in shown
    assert shown.count("; used") == 1
    (file,) = competition.paths.submissions.glob("*.csv")
    record = json.loads(file.with_suffix(".json").read_text())["score"]
    (threshold,) = record["ensemble"]["parameters"]["thresholds"]
    assert threshold < 0.3
    raw = sum(read_csv(competition.paths.run("baseline").fold(k).test).set_index("id")["target"] for k in range(3)) / 3
    written = pd.read_csv(file).set_index("id")["target"]
    np.testing.assert_array_equal(written.to_numpy(), (raw.loc[written.index] > threshold).astype(int).to_numpy())


def test_probabilities_of_ranks_are_the_mean_of_members(folded):
    add_variant(folded.project_paths.root, "decided", "metric: auc", "metric: macro_f1, more_metrics: [auc]")
    competition = Competition.open("decided")
    finished_run(competition, "one", 1.0)
    finished_run(competition, "two", 0.8)
    dataset = make_dataset(competition)
    found = ensemble_runs(competition, ["one", "two"], dataset, method_name="rank")
    np.testing.assert_array_equal(found.oof_probabilities.predictions, found.members.predictions.mean(axis=0))
    assert found.score.more_metrics["auc"] == pytest.approx(
        ensemble_runs(competition, ["one", "two"], dataset, method_name="mean").score.more_metrics["auc"]
    )


def test_predictions_for_a_changed_test_part_are_refused(three_runs):
    for fold in range(3):
        paths = three_runs.paths.run("fair").fold(fold)
        write_csv(read_csv(paths.test).iloc[1:], paths.test)
        mark_fold_trained(paths, (paths.oof, paths.test))
    with refused("the test set has changed since run 'fair' was trained: 1 added"):
        ensemble_runs(three_runs, ["good", "fair"], make_dataset(three_runs))


def test_nan_predictions_are_refused(three_runs):
    paths = three_runs.paths.run("fair").fold(0)
    table = read_csv(paths.oof)
    table.loc[1, "target"] = np.nan
    write_csv(table, paths.oof)
    mark_fold_trained(paths, (paths.oof, paths.test))
    with refused("1 of .* predictions is not a number"):
        ensemble_runs(three_runs, ["good", "fair"], make_dataset(three_runs))


def test_fold_whose_marker_was_deleted_is_named(folded):
    finished_run(folded, "one")
    finished_run(folded, "two", 0.5)
    folded.paths.run("one").fold(1).trained_marker.unlink()
    with refused(r"one/fold1/done\.json: missing, although the fold has predictions\. Restore it"):
        submit(folded, run_names=["one", "two"])
