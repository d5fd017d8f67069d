"""The local store of MLflow, as its client reads it, and servers that do not answer."""

import pytest

from medfold.tracking.mlflow_store import DEFAULTS, URI, destination, write
from tests.support.tracked_runs import fold_result, tracked_run, train_anew

pytestmark = pytest.mark.slow
pytest.importorskip("mlflow", reason="MLflow is not installed")
pytest.importorskip("alembic", reason="the local store of MLflow needs alembic")


@pytest.fixture
def run(folded, monkeypatch):
    for name, value in DEFAULTS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(URI, raising=False)
    tracked_run(folded)
    return folded


def client_and_runs(competition):
    """Returns a client of the local store, and the runs that are not deleted by name."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{destination(fold_result(competition))}")
    experiment = client.get_experiment_by_name("small")
    return client, {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def curve(client, run, name):
    return [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]


def test_run_of_mlflow_has_settings_scores_and_each_epoch_once(run):
    result = fold_result(run)
    for _ in range(2):
        write(result)
    write(fold_result(run, 3))
    client, runs = client_and_runs(run)
    assert set(runs) == {"baseline/fold0", "baseline/oof"}
    fold, oof = runs["baseline/fold0"], runs["baseline/oof"]
    assert fold.data.params == {key: str(value) for key, value in result.settings.items()}
    assert curve(client, fold, "loss") == [(1, 0.5), (2, 0.25), (3, pytest.approx(0.5 / 3))]
    assert curve(client, fold, "val_auc") == [(2, 0.8), (3, 0.9)]
    assert curve(client, fold, "auc") == [(3, result.scores["auc"])]
    assert set(oof.data.metrics) == {"auc", "auc_low", "auc_high"}
    assert (fold.info.status, fold.info.end_time - fold.info.start_time) == ("FINISHED", 60_000)
    assert fold.info.user_id == "unknown"


def test_fold_trained_anew_replaces_its_run(run):
    write(fold_result(run))
    train_anew(run, 0, 0.8)
    write(fold_result(run))
    client, runs = client_and_runs(run)
    assert list(runs) == ["baseline/fold0"]
    assert [value for _, value in curve(client, runs["baseline/fold0"], "loss")] == pytest.approx([0.8, 0.4, 0.8 / 3])


def test_long_history_goes_in_several_requests(run):
    from dataclasses import replace

    result = replace(fold_result(run), epochs=[{"loss": 1 / step, "other": 1.0} for step in range(1, 1201)])
    write(result)
    client, runs = client_and_runs(run)
    assert [step for step, _ in curve(client, runs["baseline/fold0"], "loss")] == list(range(1, 1201))
