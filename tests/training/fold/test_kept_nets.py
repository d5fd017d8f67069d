"""Nets kept from fold to fold: traced once, and the same bytes as without them."""

from dataclasses import replace

import pytest

from medfold.paths import FoldPaths
from medfold.training import FoldInputs
from medfold.training.fold.kept_nets import KeptNets
from medfold.training.fold.train_fold import train_fold
from medfold.training.loop import training_loop
from medfold.training.loop.batch_trainer import BatchTrainer
from tests.support.helpers import refused, slow_but_first
from tests.support.small_tasks import result_files, task


def train(inputs, numbers, folder, kept_nets=None):
    """Trains folds one after the other and returns their result files."""
    results = []
    for number in numbers:
        paths = FoldPaths(folder / f"fold{number}")
        train_fold(FoldInputs(inputs, number, paths), kept_nets)
        results.append(result_files(paths.folder) | {"weights": paths.weights.read_bytes()})
    return results


@pytest.fixture
def traced(monkeypatch):
    """Notes the net of each training step that is traced: the first call of a trainer traces."""
    nets, trainers = [], []
    original = BatchTrainer.__call__

    def call(trainer, *batch):
        if not any(trainer is other for other in trainers):
            trainers.append(trainer)
            nets.append(trainer.net)
        return original(trainer, *batch)

    monkeypatch.setattr(BatchTrainer, "__call__", call)
    return nets


CHOICES = (
    {"backbone": "simple_cnn", "dropout": 0.3},
    {"backbone": "resnet9", "dropout": 0.3, "keep": "best", "mixup": 0.4},
    {"backbone": "resnet9", "accumulation_steps": 2, "precision": "bfloat16"},
)


@pytest.mark.slow
@pytest.mark.parametrize("choices", slow_but_first(*CHOICES))
def test_fold_after_others_has_the_bytes_of_a_fold_alone(tmp_path, traced, choices):
    inputs = task("multiclass", epochs=2, **choices)
    together = train(inputs, [0, 1, 2], tmp_path / "together", KeptNets())
    assert len(traced) == 1
    assert together[2] == train(inputs, [2], tmp_path / "alone")[0]
    assert together[1] == train(inputs, [1], tmp_path / "alone")[0]
    assert together[0] != together[1]


@pytest.mark.slow
def test_constants_of_another_fold_are_traced_anew(tmp_path, traced):
    inputs = task("multilabel", backbone="simple_cnn", epochs=1, class_weights="balanced")
    inputs.targets[0] = 1 - inputs.targets[0]  # the folds differ in the share of a label
    kept = KeptNets()
    together = train(inputs, [0, 1], tmp_path / "together", kept)
    assert len(traced) == 2
    assert together[1] == train(inputs, [1], tmp_path / "alone")[0]


@pytest.mark.slow
def test_callbacks_and_plugins_get_a_net_of_their_own(tmp_path, traced):
    with_callback = task(backbone="simple_cnn", epochs=1, callbacks=["TerminateOnNaN"])
    with_plugins = replace(task(backbone="simple_cnn", epochs=1), plugins_hash="0" * 64)
    for name, inputs in (("callback", with_callback), ("plugins", with_plugins)):
        traced.clear()
        train(inputs, [0, 1], tmp_path / name, KeptNets())
        assert len(traced) == 2
        assert traced[0] is not traced[1]


@pytest.mark.slow
def test_interrupted_fold_resumes_in_a_kept_net(tmp_path, monkeypatch, capsys):
    inputs = task("multiclass", backbone="simple_cnn", epochs=2, dropout=0.3)
    monkeypatch.setattr(training_loop, "deadline_passed", lambda: True)  # after the first batch
    paths = FoldPaths(tmp_path / "resumed" / "fold1")
    with refused("the time is up"):
        train_fold(FoldInputs(inputs, 1, paths))
    monkeypatch.undo()
    resumed = train(inputs, [0, 1], tmp_path / "resumed", KeptNets())[1]
    assert "fold 1     resuming at epoch 1 of 2, step 1" in capsys.readouterr().out
    assert resumed == train(inputs, [1], tmp_path / "alone")[0]
