"""State of a training: saved and loaded with history and best weights; callbacks."""

import keras
import numpy as np
import pytest

from medfold.training.loop.checkpoint import Checkpoint
from medfold.training.loop.training_state import (
    RemainingPhase,
    SavedVariables,
    TrainingState,
    load_state,
    remaining_phases,
    restore,
    save_state,
)
from tests.support.fake_trainings import FakeBatchTrainer, fake_phase

HISTORY = [
    {"phase": "head", "epoch": 1, "learning_rate": 0.1, "loss": 0.7, "val_auc": 0.8},
    {"phase": "all", "epoch": 1, "learning_rate": 0.1, "loss": 0.5, "val_auc": 0.9},
]
IDENTITY = ["seed 0"]


def checkpoint_of(phase, path) -> Checkpoint:
    return Checkpoint(path, [phase.name, *IDENTITY], "float32", phase.batch_trainer.variable_specs)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.npz"


def test_state_is_loaded_as_it_was_saved(path):
    phase = fake_phase()
    phase.batch_trainer.net.weights = [np.array([7.0], np.float32)]
    phase.batch_trainer.updates_before = 4
    state = TrainingState(HISTORY, num_batches=5, epochs_since_best=2, best_weights=[np.array([3.0], np.float32)])
    save_state(checkpoint_of(phase, path), phase.batch_trainer, state)
    loaded, saved = load_state(checkpoint_of(phase, path), phase)
    assert (loaded.history, loaded.num_batches, loaded.epochs_since_best) == (HISTORY, 5, 2)
    assert saved.updates_before == 4
    assert [weight.tolist() for weight in loaded.best_weights] == [[3.0]]
    assert [variable.tolist() for variable in saved.values] == [[7.0], 0, 0, 0]


def test_state_without_kept_weights_has_none(path):
    phase = fake_phase()
    save_state(checkpoint_of(phase, path), phase.batch_trainer, TrainingState())
    state, _ = load_state(checkpoint_of(phase, path), phase)
    assert state.best_weights == []


def test_no_checkpoint_gives_no_state(path):
    phase = fake_phase()
    assert load_state(checkpoint_of(phase, path), phase) is None


@pytest.mark.parametrize(("name", "former_name"), [("phase", "part"), ("val_auc", "auc")])
def test_former_names_in_the_history_are_read(path, name, former_name):
    phase = fake_phase()
    former = [{former_name if key == name else key: value for key, value in row.items()} for row in HISTORY]
    save_state(checkpoint_of(phase, path), phase.batch_trainer, TrainingState(former, num_batches=2))
    state, _ = load_state(checkpoint_of(phase, path), phase)
    assert state.history == HISTORY


@pytest.mark.parametrize(
    ("num_batches", "expected"),
    [(0, "epoch 1 of 3"), (3, "epoch 2 of 3, step 1"), (4, "epoch 3 of 3")],
)
def test_position_has_epoch_and_step(num_batches, expected):
    state = TrainingState(num_batches=num_batches)
    assert RemainingPhase(fake_phase(), None, state).position == expected
    assert RemainingPhase(fake_phase("head"), None, state).position == f"head, {expected}"
    assert RemainingPhase(fake_phase(epochs=1), None, TrainingState()).position == "epoch 1 of 1"


def test_all_phases_remain_without_a_checkpoint(path):
    phases = [fake_phase("head"), fake_phase("all")]
    remaining = remaining_phases(phases, path, IDENTITY, "float32")
    assert [each.phase.name for each in remaining] == ["head", "all"]
    assert [each.is_resumed for each in remaining] == [False, False]
    assert remaining[0].state is not remaining[1].state


@pytest.mark.parametrize(("saved", "names"), [("head", ["head", "all"]), ("all", ["all"])])
def test_phases_before_the_saved_one_are_done(path, saved, names):
    phases = [fake_phase("head"), fake_phase("all")]
    phase = next(each for each in phases if each.name == saved)
    save_state(checkpoint_of(phase, path), phase.batch_trainer, TrainingState(HISTORY, num_batches=3))
    remaining = remaining_phases(phases, path, IDENTITY, "float32")
    assert [each.phase.name for each in remaining] == names
    assert [each.is_resumed for each in remaining] == [True, False][: len(names)]
    assert remaining[0].state.num_batches == 3
    assert len(remaining[0].take_saved().values) == len(phase.batch_trainer.variable_specs)
    assert (remaining[0].take_saved(), remaining[0].is_resumed) == (None, True)


def test_history_of_the_phases_before_is_continued(path):
    before = HISTORY[:1]
    (remaining,) = remaining_phases([fake_phase()], path, IDENTITY, "float32")
    continuing = remaining.continuing(before)
    continuing.state.history.append(HISTORY[1])
    assert (continuing.state.history, continuing.epoch_rows) == (HISTORY, HISTORY[1:])
    assert (before, remaining.state.history) == (HISTORY[:1], [])


def test_resumed_phase_has_the_history_of_its_checkpoint(path):
    phase = fake_phase()
    save_state(checkpoint_of(phase, path), phase.batch_trainer, TrainingState(HISTORY, num_batches=3))
    (remaining,) = remaining_phases([phase], path, IDENTITY, "float32")
    assert remaining.continuing([]).state.history == HISTORY


def test_state_of_another_training_is_not_resumed(path):
    phase = fake_phase()
    save_state(checkpoint_of(phase, path), phase.batch_trainer, TrainingState(num_batches=3))
    (only,) = remaining_phases([phase], path, ["seed 1"], "float32")
    assert only.is_resumed is False
    assert only.state == TrainingState()


class Recorder(keras.callbacks.Callback):
    """Monitors a score: notes the epochs that it is told of."""

    monitor = "val_auc"

    def __init__(self):
        super().__init__()
        self.told = []

    def on_epoch_begin(self, epoch, logs=None):
        self.told.append(f"begin {epoch}")

    def on_epoch_end(self, epoch, logs=None):
        self.told.append((epoch, logs))
        logs["changed"] = True  # must not change the history


class Counter(keras.callbacks.Callback):
    """Has a state of its own, and monitors nothing."""


def test_past_epochs_are_replayed_before_variables_are_set():
    trainer, recorder = FakeBatchTrainer(), Recorder()
    logs = [{"val_auc": 0.8}, {"val_auc": 0.9}]
    order = []
    recorder.on_epoch_end = lambda epoch, logs: order.append(epoch)
    trainer.restore = lambda *given: order.append(given)
    saved = SavedVariables([1, 2], updates_before=5)
    assert restore(trainer, saved, num_batches=1, callbacks=[recorder], logs=logs) == []
    assert order == [0, 1, ([1, 2], 1, 5)]


def test_callbacks_get_copies_of_the_logs():
    recorder, logs = Recorder(), [{"val_auc": 0.8}, {"val_auc": 0.9}]
    restore(FakeBatchTrainer(), SavedVariables(FakeBatchTrainer().values(), 0), 0, [recorder], logs)
    assert [each if isinstance(each, str) else each[0] for each in recorder.told] == ["begin 0", 0, "begin 1", 1]
    assert logs == [{"val_auc": 0.8}, {"val_auc": 0.9}]


def test_callbacks_whose_state_is_lost_are_named():
    callbacks = [Counter(), keras.callbacks.TerminateOnNaN(), Recorder(), Counter(), keras.callbacks.ProgbarLogger()]
    saved = SavedVariables(FakeBatchTrainer().values(), 0)
    assert restore(FakeBatchTrainer(), saved, 0, callbacks, []) == ["Counter", "ProgbarLogger"]
