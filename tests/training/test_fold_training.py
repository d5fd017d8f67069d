"""The training of one fold: how many processes make its batches; handed to another process."""

import pickle
from dataclasses import replace
from unittest.mock import create_autospec

import numpy as np
import pytest
from filelock import Timeout

from medfold.competition import PreparationSettings
from medfold.data import make_dataset
from medfold.images import load_store, store_key
from medfold.paths import FoldPaths
from medfold.system import hardware, locks
from medfold.training import FoldInputs
from medfold.training.fold import train_fold
from medfold.training.fold_training import FoldTrainings, default_num_workers, train_missing
from tests.support.finished_runs import finished_run
from tests.support.small_tasks import task


@pytest.mark.parametrize(("num_cores", "num_workers"), [(1, 0), (2, 0), (4, 2), (6, 3), (64, 8)])
def test_default_workers_without_a_gpu_depend_on_the_cores(monkeypatch, num_cores, num_workers):
    monkeypatch.setattr(hardware, "cuda_devices", list)
    monkeypatch.setattr(hardware, "num_cores", lambda: num_cores)
    assert default_num_workers() == num_workers


def test_default_workers_with_a_gpu_are_one_per_core(monkeypatch):
    monkeypatch.setattr(hardware, "num_cores", lambda: 2)
    monkeypatch.setattr(hardware, "cuda_devices", lambda: ["0"])
    assert default_num_workers() == 2


@pytest.mark.slow
def test_copy_in_another_process_reads_the_same_store(small):
    preparation = PreparationSettings(size=16)
    make_dataset(small, preparation)
    store = load_store(small.paths, store_key(small, preparation))
    pickled = pickle.dumps(FoldTrainings([FoldInputs(replace(task(), store=store), 1, FoldPaths(small.paths.data))]))
    copy = pickle.loads(pickled).folds[0].run_inputs.store
    assert isinstance(copy.pixels, np.memmap)
    np.testing.assert_array_equal(copy.pixels, store.pixels)
    assert copy.rows.equals(store.rows)
    assert len(pickled) < store.pixels.nbytes


class FakeTraining:
    """Stands in for the training of a fold.

    `calls` are the numbers of the folds, each with the nets that it was given; `then` is called with each fold.
    """

    def __init__(self):
        self.calls, self.then = [], lambda fold: None

    def __call__(self, fold, kept_nets):
        self.calls.append((fold.number, kept_nets))
        self.then(fold)
        return 0.75


@pytest.fixture
def training(monkeypatch):
    fake = FakeTraining()
    monkeypatch.setattr(train_fold, "train_fold", create_autospec(train_fold.train_fold, side_effect=fake))
    return fake


def folds_of(small, num_folds):
    return [FoldInputs(task(), number, small.paths.run("one").fold(number)) for number in range(num_folds)]


def test_folds_of_a_process_keep_their_nets(small, training):
    folds = folds_of(small, 3)
    assert [fold.number for fold in train_missing(folds)] == [0, 1, 2]
    assert [number for number, _ in training.calls] == [0, 1, 2]
    assert len({id(kept_nets) for _, kept_nets in training.calls}) == 1


def test_fold_that_is_trained_elsewhere_meanwhile_is_not_trained_again(small, training, capsys):
    training.then = lambda fold: finished_run(small, "one", folds=[1])
    assert [fold.number for fold in train_missing(folds_of(small, 3))] == [0, 1, 2]
    assert [number for number, _ in training.calls] == [0, 2]
    assert "fold 1 " not in capsys.readouterr().out


def test_fold_is_locked_while_it_is_trained(small, training):
    held = []

    def note(fold):
        with pytest.raises(Timeout):
            locks.lock(fold.paths.folder).acquire(timeout=0)
        held.append(fold.number)

    training.then = note
    list(train_missing(folds_of(small, 2)))
    assert held == [0, 1]
