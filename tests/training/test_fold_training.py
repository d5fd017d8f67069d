"""The training of one fold: how many processes make its batches; handed to another process."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from medfold.competition import PreparationSettings
from medfold.data import make_dataset
from medfold.images import load_store, store_key
from medfold.paths import FoldPaths
from medfold.system import hardware
from medfold.training.fold_inputs import FoldInputs
from medfold.training.fold_training import FoldTrainings, default_num_workers
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
