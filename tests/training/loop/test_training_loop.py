"""The training loop: epochs, the best epoch, early stopping, checkpoints, callbacks, messages; without a net."""

import keras
import numpy as np
import pytest

from medfold.competition import TrainingSettings
from medfold.scoring import METRICS
from medfold.system.deadline import STOP_AT
from medfold.terminal.console import EACH_EPOCH
from medfold.training.loop import training_loop
from medfold.training.loop.checkpoint import Checkpoint
from medfold.training.loop.training_loop import TrainingLoop
from medfold.training.loop.training_state import (
    RemainingPhase,
    SavedVariables,
    TrainingState,
    load_state,
    remaining_phases,
)
from tests.support.fake_trainings import FakeBatchTrainer, fake_phase, never_saved
from tests.support.helpers import refused

AUC, LOG_LOSS = METRICS["auc"], METRICS["log_loss"]
NAN = float("nan")


@pytest.fixture(autouse=True)
def numbered_batches(monkeypatch):
    """The batches are three numbers each; the loop counts them only."""

    def load_batches(batches, start, stop, num_workers, convert):
        yield from ((number, number, number) for number in range(start, stop))

    monkeypatch.setattr(training_loop, "load_batches", load_batches)
    monkeypatch.setattr(training_loop, "gpus", list)


@pytest.fixture
def train(tmp_path):
    """Returns a function that trains a phase whose epochs have these scores; it returns the phase and its state."""

    def run(scores, phase=None, metric=AUC, callbacks=(), remaining=None, **settings):
        phase = phase or fake_phase(epochs=len(scores))
        if remaining is None:
            (remaining,) = remaining_phases([phase], tmp_path / "checkpoint.npz", [], "float32")
        following = iter(scores)
        training = TrainingSettings.model_validate(settings)
        loop = TrainingLoop(remaining, training, metric, lambda: next(following), list(callbacks), "fold 0")
        assert loop.run() == remaining.state.history
        return remaining.phase, remaining.state

    return run


def final_weight(phase) -> float:
    return float(phase.batch_trainer.net.weights[0][0])


def test_every_batch_is_trained_and_every_epoch_has_a_row(train):
    _, state = train([0.7, 0.9, 0.8])
    assert state.num_batches == 6
    assert [(row["phase"], row["epoch"], row["val_auc"]) for row in state.history] == [
        ("all", 1, 0.7),
        ("all", 2, 0.9),
        ("all", 3, 0.8),
    ]
    assert [row["learning_rate"] for row in state.history] == [0.5] * 3
    assert [row["loss"] for row in state.history] == [pytest.approx(1 / (1 + n)) for n in (2, 4, 6)]
    assert list(state.history[0]) == ["phase", "epoch", "learning_rate", "loss", "val_auc"]


def test_final_weights_are_the_average_of_the_last_epoch(train):
    assert final_weight(train([0.7, 0.9, 0.8])[0]) == 6.5


def test_score_is_that_of_the_averaged_weights(train):
    phase, seen = fake_phase(epochs=1), []
    remaining = RemainingPhase(phase, never_saved(), TrainingState())

    def compute_score() -> float:
        seen.append(final_weight(phase))
        return 0.9

    TrainingLoop(remaining, TrainingSettings(), AUC, compute_score, [], "fold 0").run()
    assert seen == [2.5]


@pytest.mark.parametrize(
    ("metric", "scores", "best"),
    [
        (AUC, [0.7, 0.9, 0.8], 2),
        (AUC, [0.9, 0.9, 0.8], 1),  # the first of equal ones
        (AUC, [NAN, 0.6, NAN], 2),
        (AUC, [0.6, NAN, 0.7], 3),
        (LOG_LOSS, [0.7, 0.9, 0.8], 1),  # lower is better
        (LOG_LOSS, [0.7, 0.6, 0.65], 2),
    ],
)
def test_weights_of_the_best_epoch_are_kept(train, metric, scores, best):
    phase, _ = train(scores, metric=metric, keep="best")
    assert final_weight(phase) == 2 * best + 0.5


def test_last_epoch_is_kept_with_a_warning_if_no_score_is_defined(train, capsys):
    phase, state = train([NAN, NAN], keep="best")
    assert final_weight(phase) == 4.5
    assert state.best_weights == []
    text = "fold 0     AUC was undefined after every epoch: the last epoch is kept"
    assert text in capsys.readouterr().out
    train([NAN, NAN])
    assert text not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("scores", "patience", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.5], 2, 3),
        ([0.9, 0.8, 0.95, 0.6, 0.5], 2, 5),
        ([0.9, 0.8, 0.7, 0.6, 0.5], 1, 2),
        ([0.9, 0.8, 0.7, 0.6, 0.5], 0, 5),
        ([0.9, NAN, NAN, NAN, 0.5], 1, 5),  # undefined scores are not counted
    ],
)
def test_training_stops_after_epochs_without_a_better_one(train, scores, patience, expected):
    assert len(train(scores, keep="best", patience=patience)[1].history) == expected


def test_stopped_training_is_not_continued(train):
    phase = fake_phase(epochs=5)
    best_weights, saved = [np.array([1.0])], SavedVariables(FakeBatchTrainer().values(), 0)
    state = TrainingState([], 4, epochs_since_best=2, best_weights=best_weights)
    remaining = RemainingPhase(phase, never_saved(), state, saved)
    train([], remaining=remaining, keep="best", patience=2)
    assert state.num_batches == 4
    assert remaining.saved is None  # no copy of net and optimizer stays in memory
    assert final_weight(phase) == 1.0


class Listener(keras.callbacks.Callback):
    """Notes what it is told, and may stop the training after an epoch."""

    def __init__(self, stop_after: int | None = None):
        super().__init__()
        self.told, self._stop_after = [], stop_after

    def on_train_begin(self, logs=None):
        self.told.append("train begins")

    def on_epoch_begin(self, epoch, logs=None):
        self.told.append(f"epoch {epoch} begins")

    def on_train_batch_end(self, batch, logs=None):
        self.told.append(f"batch {batch}")

    def on_epoch_end(self, epoch, logs=None):
        self.told.append((epoch, logs))
        if epoch == self._stop_after:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.told.append("train ends")


def test_callbacks_are_called_as_fit_calls_them(train):
    listener = Listener()
    train([0.7, 0.9], callbacks=[listener])
    first, second = ({"loss": pytest.approx(1 / (1 + 2 * n)), "learning_rate": 0.5} for n in (1, 2))
    assert listener.told == [
        "train begins",
        *("epoch 0 begins", "batch 0", "batch 1", (0, first | {"val_auc": 0.7})),
        *("epoch 1 begins", "batch 0", "batch 1", (1, second | {"val_auc": 0.9})),
        "train ends",
    ]


def test_callback_can_stop_the_training(train):
    _, state = train([0.7, 0.9, 0.8], callbacks=[Listener(stop_after=1)])
    assert len(state.history) == 2


def test_resumed_training_goes_on_where_it_was_saved(train, monkeypatch, capsys):
    monkeypatch.setattr(Checkpoint, "is_due", lambda self, is_epoch_end: is_epoch_end)
    phase = fake_phase(epochs=3, diverges_at=5)
    with refused("not a number at epoch 3, step 1"):
        train([0.7, 0.9, 0.8], phase)
    again, state = train([0.8], fake_phase(epochs=3), callbacks=[Listener()])
    assert again.batch_trainer.restored == (0, 2)
    assert [row["val_auc"] for row in state.history] == [0.7, 0.9, 0.8]
    assert final_weight(again) == 6.5
    assert "the state of Listener is lost: the result may differ" in capsys.readouterr().out


def test_diverged_loss_names_epoch_step_and_advice(train):
    with refused(r"^fold 0: the loss is not a number at epoch 2, step 1\. Lower training\.learning_rate$"):
        train([0.7, 0.9], fake_phase(epochs=2, diverges_at=3))


def test_diverged_loss_in_float16_advises_float32_too(train):
    with refused(r"Lower training\.learning_rate, or try SET=.?training\.precision=float32"):
        train([0.7], fake_phase(epochs=2, diverges_at=1), precision="float16")


def test_diverged_loss_of_the_head_names_its_phase(train):
    with refused(r"the loss is not a number at head, epoch 1, step 2\. Lower training\.head_learning_rate$"):
        train([0.7, 0.9], fake_phase("head", epochs=2, diverges_at=2))


@pytest.mark.parametrize(("read_interval", "step"), [(60, 4), (-1, 2)])
def test_loss_is_read_now_and_then_on_a_gpu(train, monkeypatch, read_interval, step):
    """Each reading waits for the device: the loss is read at the end of an epoch and every few seconds."""
    monkeypatch.setattr(training_loop, "gpus", lambda: ["GPU"])
    monkeypatch.setattr(training_loop, "READ_INTERVAL_SECONDS", read_interval)
    with refused(f"not a number at epoch 1, step {step}"):
        train([0.7], fake_phase(epochs=1, batches_per_epoch=4, diverges_at=2))


def test_training_out_of_time_saves_its_state_first(train, tmp_path, monkeypatch):
    monkeypatch.setenv(STOP_AT, "0")
    phase = fake_phase(epochs=3)
    with refused(r"^fold 0: the time is up at epoch 1 of 3, step 1\. Run the same command again to continue$"):
        train([0.7], phase)
    (remaining,) = remaining_phases([phase], tmp_path / "checkpoint.npz", [], "float32")
    assert (remaining.is_resumed, remaining.state.num_batches) == (True, 1)


def test_checkpoint_is_written_when_it_is_due(train, tmp_path):
    asked, phase = [], fake_phase(epochs=2)
    checkpoint = Checkpoint(tmp_path / "checkpoint.npz", ["all"], "float32", phase.batch_trainer.variable_specs)
    checkpoint.is_due = lambda is_epoch_end: asked.append(is_epoch_end) or len(asked) == 3
    train([0.7, 0.9], remaining=RemainingPhase(phase, checkpoint, TrainingState()))
    assert asked == [False, True, False, True]
    state, saved = load_state(checkpoint, phase)
    assert (state.num_batches, len(state.history), saved.updates_before) == (3, 1, 2)


def test_diverged_state_is_not_saved(train, tmp_path, monkeypatch):
    """On a GPU the loss is read now and then: a checkpoint that is due before that must not hold diverged weights."""
    monkeypatch.setattr(training_loop, "gpus", lambda: ["GPU"])
    phase = fake_phase(epochs=1, batches_per_epoch=4, diverges_at=2)
    checkpoint = Checkpoint(tmp_path / "checkpoint.npz", ["all"], "float32", phase.batch_trainer.variable_specs)
    checkpoint.is_due = lambda is_epoch_end: phase.batch_trainer.net.weights[0][0] == 2
    with refused("not a number at epoch 1, step 2"):
        train([0.7], remaining=RemainingPhase(phase, checkpoint, TrainingState()))
    assert not (tmp_path / "checkpoint.npz").exists()


def test_overflows_are_counted_in_a_warning(train, capsys):
    train([0.7], fake_phase(epochs=1, overflows=1))
    text = "1 of 2 steps of epoch 1 overflowed and were left out: loss or gradients were not finite"
    assert f"fold 0     {text}" in capsys.readouterr().out


def test_rows_of_another_phase_are_not_counted(train):
    history = [{"phase": "head", "epoch": 1, "learning_rate": 0.1, "loss": 0.5, "val_auc": 0.99}]
    phase = fake_phase(epochs=1)
    remaining = RemainingPhase(phase, never_saved(), TrainingState(history))
    train([0.7], remaining=remaining, keep="best")
    assert [row["epoch"] for row in remaining.epoch_rows] == [1]
    assert [row["phase"] for row in history] == ["head", "all"]
    assert final_weight(phase) == 2.5  # the better score of the head does not count


@pytest.mark.parametrize(
    ("num_epochs", "environment", "reported"),
    [(8, {}, [2, 4, 6]), (3, {}, [1, 2]), (9, {}, [3, 6]), (6, {EACH_EPOCH: "1"}, [1, 2, 3, 4, 5])],
)
def test_about_four_epochs_or_all_are_reported(train, monkeypatch, capsys, num_epochs, environment, reported):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    train([0.75] * num_epochs)
    lines = [line for line in capsys.readouterr().out.splitlines() if "epoch" in line]
    assert [int(line.split("epoch ")[1].split("/")[0]) for line in lines] == reported
    assert lines[0].startswith(f"fold 0     epoch {reported[0]}/{num_epochs}  loss 0.")
    assert lines[0].endswith("AUC 0.750")
