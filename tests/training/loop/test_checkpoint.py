"""Checkpoints: saved atomically, loaded only if they fit, and resumed with the same bytes."""

import json
import time

import numpy as np
import pytest

from medfold.paths import FoldPaths
from medfold.system import files
from medfold.system.deadline import STOP_AT
from medfold.training import FoldInputs
from medfold.training.fold.train_fold import train_fold
from medfold.training.loop import checkpoint as state
from medfold.training.loop.checkpoint import Checkpoint, remove_checkpoint
from tests.support.helpers import refused, zipped
from tests.support.interruptions import PowerFailure, interrupt_after, lose_number_at
from tests.support.small_tasks import result_files, task

ARRAYS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.int64(7)]


def test_checkpoint_round_trips_arrays_and_metadata(tmp_path):
    Checkpoint(tmp_path / "state.npz", "a").save(ARRAYS, {"history": [{"loss": 0.1 + 0.2}], "losses": [float("nan")]})
    arrays, metadata = Checkpoint(tmp_path / "state.npz", "a").load()
    assert [array.tolist() for array in arrays] == [ARRAYS[0].tolist(), 7]
    assert [array.dtype for array in arrays] == [np.float32, np.int64]
    assert metadata["history"] == [{"loss": 0.1 + 0.2}]
    assert np.isnan(metadata["losses"][0])


def test_other_or_missing_checkpoint_is_not_loaded(tmp_path):
    Checkpoint(tmp_path / "state.npz", "a").save(ARRAYS, {})
    assert Checkpoint(tmp_path / "state.npz", "b").load() is None
    assert Checkpoint(tmp_path / "none.npz", "a").load() is None


def test_checkpoint_of_other_precision_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    Checkpoint(path, "a", "float16", ["weights"]).save(ARRAYS, {})
    with refused("started in float16, .*float32. Resume it"):
        Checkpoint(path, "a", "float32", ["weights"]).load()
    assert Checkpoint(path, "b", "float32", ["weights"]).load() is None
    assert Checkpoint(path, "a", "float16", ["other weights"]).load() is None
    arrays, metadata = Checkpoint(path, "a", "float16", ["weights"]).load()
    assert [array.tolist() for array in arrays] == [array.tolist() for array in ARRAYS]
    assert metadata == {}


def test_damaged_checkpoint_falls_back_to_previous_one(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.npz", "a")
    checkpoint.save(ARRAYS, {"num_batches": 1})
    checkpoint.save(ARRAYS, {"num_batches": 2})
    assert checkpoint.load()[1] == {"num_batches": 2}
    whole = (tmp_path / "state.npz").read_bytes()
    odd_header = zipped({"metadata.npy": b"\x93NUMPY\x01\x00\x10\x00{'descr': ({[(     "})
    for damaged in (whole[: len(whole) // 2], b"", b"nonsense", odd_header):
        (tmp_path / "state.npz").write_bytes(damaged)
        assert checkpoint.load()[1] == {"num_batches": 1}
    remove_checkpoint(tmp_path / "state.npz")
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_take_a_small_share_of_time(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(state.time, "monotonic", lambda: clock[0])
    checkpoint = Checkpoint(tmp_path / "state.npz", "a")
    assert checkpoint.is_due(is_epoch_end=True)
    assert not checkpoint.is_due(is_epoch_end=False)
    monkeypatch.setattr(files.os, "fsync", lambda file: clock.__setitem__(0, clock[0] + 1))  # a save costs a second
    checkpoint.save(ARRAYS, {})
    for seconds, ends, expected in ((10, True, False), (50, True, True), (50, False, False), (300, False, True)):
        clock[0] = 1 + seconds
        assert checkpoint.is_due(ends) is expected


@pytest.fixture
def every_step(monkeypatch):
    """Saves a checkpoint at every step."""
    monkeypatch.setattr(state, "SAVE_INTERVAL_SECONDS", 0)
    monkeypatch.setattr(state, "MAX_TIME_SHARE", 1e9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("choices", "stops"),  # an epoch has 5 steps; the training is interrupted after these
    [
        ({}, (6, 4)),
        ({"keep": "best", "patience": 2, "learning_rate": 0.02}, (6,)),
    ],
)
def test_interrupted_training_writes_same_bytes(tmp_path, monkeypatch, every_step, capsys, choices, stops):
    made = task(epochs=3, dropout=0.3, **choices)
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "whole")))
    expected = result_files(tmp_path / "whole")
    for after in stops:
        with monkeypatch.context() as patch:
            interrupt_after(patch, after)
            with pytest.raises(PowerFailure):
                train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "broken")))
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "broken")))
    assert f"resuming at epoch {'3 of 3' if len(stops) == 2 else '2 of 3, step 1'}" in capsys.readouterr().out
    assert result_files(tmp_path / "broken") == expected
    assert not list((tmp_path / "broken").glob("*checkpoint*"))


@pytest.mark.slow
def test_training_resumes_from_the_checkpoint_of_an_earlier_version(tmp_path, monkeypatch, every_step, capsys):
    made = task(epochs=3, dropout=0.3)
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "whole")))
    paths = FoldPaths(tmp_path / "broken")
    with monkeypatch.context() as patch:
        interrupt_after(patch, 6)
        with pytest.raises(PowerFailure):
            train_fold(FoldInputs(made, 0, paths))
    with np.load(paths.checkpoint) as content:
        saved = {name: content[name] for name in content.files}
    text = str(saved.pop("metadata"))
    for name, former in (("phase", "part"), ("identity", "fits"), ("num_batches", "step")):
        assert f'"{name}"' in text
        text = text.replace(f'"{name}"', f'"{former}"')
    saved["facts"] = np.array(text)
    (tmp_path / "broken" / "before-checkpoint.npz").unlink()
    paths.checkpoint.unlink()
    np.savez(tmp_path / "broken" / "state.npz", **saved)
    train_fold(FoldInputs(made, 0, paths))
    assert "resuming at epoch 2 of 3, step 1" in capsys.readouterr().out
    assert result_files(tmp_path / "broken") == result_files(tmp_path / "whole")
    assert not list((tmp_path / "broken").glob("*.npz"))


@pytest.mark.slow
def test_training_out_of_time_saves_checkpoint_and_resumes(tmp_path, monkeypatch, capsys):
    made = task(epochs=3, dropout=0.3)
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "whole")))
    for step in (1, 2):
        monkeypatch.setenv(STOP_AT, "0")
        with refused(f"fold 0: the time is up at epoch 1 of 3, step {step}"):
            train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "broken")))
    monkeypatch.setenv(STOP_AT, f"{time.time() + 3600}")
    train_fold(FoldInputs(made, 0, FoldPaths(tmp_path / "broken")))
    assert "resuming at epoch 1 of 3, step 2" in capsys.readouterr().out
    assert result_files(tmp_path / "broken") == result_files(tmp_path / "whole")


@pytest.mark.slow
def test_checkpoint_of_another_recipe_is_not_resumed(tmp_path, monkeypatch, every_step, capsys):
    with monkeypatch.context() as patch:
        interrupt_after(patch, 7)
        with pytest.raises(PowerFailure):
            train_fold(FoldInputs(task(epochs=2), 0, FoldPaths(tmp_path / "fold")))
    train_fold(FoldInputs(task(epochs=2, learning_rate=0.001), 0, FoldPaths(tmp_path / "fold")))
    assert "resuming" not in capsys.readouterr().out


@pytest.mark.slow
def test_nan_loss_keeps_previous_checkpoint(tmp_path, monkeypatch, every_step):
    lose_number_at(monkeypatch, 4)
    paths = FoldPaths(tmp_path / "fold")
    with refused("not a number at epoch 1, step 4"):
        train_fold(FoldInputs(task(epochs=2), 0, paths))
    with np.load(paths.checkpoint) as content:
        assert json.loads(str(content["metadata"]))["num_batches"] == 3
