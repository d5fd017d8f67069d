"""A checkpoint of an earlier version is resumed from where it was saved."""

import numpy as np

from medfold.training.loop.checkpoint import Checkpoint
from medfold.training.loop.earlier_checkpoints import without_sums
from medfold.training.loop.training_state import remaining_phases
from tests.support.fake_trainings import fake_phase


def test_list_of_losses_of_an_earlier_version_becomes_sum_and_count(tmp_path):
    """Earlier versions saved no sums among the variables, and the losses of the epoch instead of the batch number."""
    history = [
        {"phase": "head", "epoch": 1, "learning_rate": 0.1, "loss": 0.7, "auc": 0.8},
        {"phase": "all", "epoch": 1, "learning_rate": 0.1, "loss": 0.5, "auc": 0.9},
    ]
    phase = fake_phase(batches_per_epoch=4)
    layout = without_sums(phase.batch_trainer.variable_specs)
    weight, best = np.array([7.0], np.float32), np.array([3.0], np.float32)
    metadata = {"history": history, "since_best": 1, "losses": [0.5, float("nan"), 0.25]}
    path = tmp_path / "checkpoint.npz"
    Checkpoint(path, ["all", "seed 0"], "float32", layout).save([weight, np.float32(9), best], metadata)
    (remaining,) = remaining_phases([phase], path, ["seed 0"], "float32")
    loaded = remaining.state
    assert [variable.tolist() for variable in remaining.saved.values] == [[7.0], 9.0, 0.75, 2.0]
    assert [each.tolist() for each in loaded.best_weights] == [[3.0]]
    assert loaded.epochs_since_best == 1
    assert loaded.num_batches == 1 * 4 + 3  # one epoch of this phase is done, and three batches of the next
    assert remaining.saved.updates_before == 0
