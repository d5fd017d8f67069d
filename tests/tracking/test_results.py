"""What a tracker gets of a run: its folds, its OOF score, and nothing that identifies the user."""

import json
from datetime import UTC, datetime

import pytest

from medfold.runs import Run, RunMetadata
from medfold.system import json_files
from medfold.tracking.results import results_of_run, settings_of
from tests.support.tracked_runs import fold_result, tracked_run, train_anew


@pytest.fixture
def run(folded):
    tracked_run(folded)
    return folded


def test_fold_has_its_epochs_scores_settings_and_times(run):
    result = fold_result(run, 1)
    assert result.name == "fold1"
    assert result.epochs == [
        {"learning_rate": 0.01, "loss": 0.5},
        {"learning_rate": 0.01, "loss": 0.25, "val_auc": 0.8},
        {"learning_rate": 0.01, "loss": pytest.approx(0.5 / 3), "val_auc": 0.9},
    ]
    score = json_files.read(run.paths.run("baseline").score)
    assert result.scores == {"auc": score["per_fold"]["1"]}
    assert result.settings["training.epochs"] == 2
    assert result.settings["seed"] == 0
    assert result.settings["versions.keras"].startswith("3.")
    assert (result.started, result.finished) == (
        datetime(2030, 1, 2, 3, 3, 5, tzinfo=UTC),
        datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


def test_oof_score_follows_when_all_folds_are_trained(folded):
    tracked_run(folded, folds=[0, 2])
    assert [result.name for result in results_of_run(folded, "baseline")] == ["fold0", "fold2"]
    tracked_run(folded)
    oof = results_of_run(folded, "baseline")[-1]
    score = json_files.read(folded.paths.run("baseline").score)
    assert oof.name == "oof"
    assert oof.scores == {"auc": score["value"], "auc_low": score["low"], "auc_high": score["high"]}
    assert oof.epochs == []


def test_a_fold_that_is_not_in_the_score_yet_waits(run):
    score = run.paths.run("baseline").score
    content = json_files.read(score)
    content["trained_folds"].remove(1)
    json_files.write(content, score, sealed=True)
    assert [result.name for result in results_of_run(run, "baseline")] == ["fold0", "fold2"]


def test_no_run_no_results(folded):
    assert results_of_run(folded, "baseline") == []


def test_fold_trained_anew_has_the_same_id_and_another_fingerprint(run):
    before = results_of_run(run, "baseline")
    train_anew(run, 1, 0.7)
    after = results_of_run(run, "baseline")
    assert [result.id for result in before] == [result.id for result in after]
    assert len({result.id for result in before}) == 4
    changed = [b.name for b, a in zip(before, after, strict=True) if b.fingerprint != a.fingerprint]
    assert changed == ["fold1", "oof"]


def test_run_of_another_seed_has_other_ids_under_the_same_name(run):
    before = fold_result(run)
    file = run.paths.run("baseline").metadata
    json_files.write({**json_files.read(file), "seed": 5}, file, sealed=True)
    assert fold_result(run).id != before.id


def test_settings_are_scalars_and_name_no_folder(run, tmp_path):
    metadata = json_files.read(run.paths.run("baseline").metadata)
    metadata["recipe"]["backbone"]["weights"] = str(tmp_path / "net.h5")
    metadata["recipe"]["training"]["callbacks"] = [{"CSVLogger": {"filename": str(tmp_path / "log.csv")}}]
    settings = settings_of(Run(run.paths.run("baseline"), RunMetadata(**metadata)))
    assert settings["backbone.weights"] == "net.h5"
    assert json.loads(settings["training.callbacks"]) == [{"CSVLogger": {"filename": "log.csv"}}]
    assert settings["training.class_weights"] == "none"
    assert str(tmp_path) not in json.dumps(settings)
    assert all(isinstance(value, bool | int | float | str) for value in settings.values())


def test_fold_without_a_recorded_time_or_history_has_the_time_of_its_marker(folded):
    tracked_run(folded)
    paths = folded.paths.run("baseline").fold(0)
    paths.timing.unlink()
    paths.history.unlink()
    json_files.write(
        {name: digest for name, digest in json_files.read(paths.trained_marker).items() if name != "history.csv"},
        paths.trained_marker,
    )
    result = fold_result(folded)
    assert result.epochs == []
    assert result.started == result.finished == datetime.fromtimestamp(paths.trained_marker.stat().st_mtime, UTC)
