"""make train TRACK=...: a training that is killed, started again and repeated gives each epoch once to each tracker."""

import shutil
from importlib.util import find_spec

import pytest

from medfold.system import json_files
from medfold.tracking import TRACKERS
from tests.support.make_targets import succeed
from tests.support.processes import kill_when, start

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]
INSTALLED = [name for name in TRACKERS.names() if find_spec(name)]
FOLDS = ["fold0", "fold1", "fold2"]


def steps_in_tensorboard(root, part):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(root / "runs" / "small" / "baseline" / "tensorboard" / part))
    events.Reload()
    return [point.step for point in events.Tensors("loss")]


def steps_in_mlflow(root, part):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{root / 'runs' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small").experiment_id
    (run,) = client.search_runs([experiment], f"tags.`medfold.part` = '{part}'")
    return [point.step for point in client.get_metric_history(run.info.run_id, "loss")]


def steps_in_wandb(root, part):
    from tests.support.wandb_files import records

    steps = []
    for file in (root / "runs" / "small" / "baseline" / "wandb").glob("*/*.wandb"):
        found = records(file)
        if any(record.run.display_name == f"baseline/{part}" for record in found):
            rows = [{item.key or ".".join(item.nested_key) for item in each.history.item} for each in found]
            steps += [each.history.step.num for each, row in zip(found, rows, strict=True) if "loss" in row]
    return steps


STEPS = {"tensorboard": steps_in_tensorboard, "mlflow": steps_in_mlflow, "wandb": steps_in_wandb}


def test_killed_and_repeated_training_has_each_epoch_once(clone, monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    words = ["train", "COMPETITION=small", "SET=training.epochs=2", "RUN=baseline", f"TRACK={' '.join(INSTALLED)}"]
    run = clone / "runs" / "small" / "baseline"
    arguments = "train -c small --set training.epochs=2 --run baseline --track tensorboard"
    kill_when(start(clone, arguments), lambda: (run / ".fold1.lock").exists())
    assert steps_in_tensorboard(clone, "fold0") == [1, 2]
    assert not (run / "fold1" / "done.json").exists()

    said = succeed(clone, *words)
    before = json_files.read(run / "tracking.json")
    assert set(before) == set(INSTALLED)
    for name in INSTALLED:
        assert [STEPS[name](clone, part) for part in FOLDS] == [[1, 2]] * 3, name
        assert f"tracking   {name}: wrote " in said
    said = succeed(clone, *words, "JOBS=2")
    for name in INSTALLED:
        assert f"tracking   {name}: up to date" in said
        assert [STEPS[name](clone, part) for part in FOLDS] == [[1, 2]] * 3, name
    assert json_files.read(run / "tracking.json") == before


def test_server_that_is_down_and_packages_that_are_missing_stop_no_training(clone, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    said = succeed(clone, "train", "COMPETITION=small", "SET=training.epochs=1", "FOLD=0", "TRACK=mlflow wandb")
    lines = [line for line in said.splitlines() if line.startswith("tracking")]
    assert len(lines) == 2
    if "mlflow" in INSTALLED:
        (line,) = (line for line in lines if "mlflow:" in line)
        assert "fold0 not written to http://127.0.0.1:9 (Connection refused)" in line
    for name in {"mlflow", "wandb"} - set(INSTALLED):
        (line,) = (line for line in lines if f"{name}:" in line)
        assert "nothing is written to it" in line
        assert "-m pip install" in line
    assert "OOF score" in said
