"""Batches made by a thread or by worker processes: equal, in order, and without leftovers."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import active_children
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest

from medfold.system import shared_memory
from medfold.training.batches import loader
from medfold.training.batches.augmentation import build_augmenter
from medfold.training.batches.batches import TrainingBatches
from medfold.training.batches.loader import load_batches
from medfold.training.batches.mixup import Mixer
from tests.support.helpers import REPOSITORY, refused


@pytest.fixture
def mapped(tmp_path):
    """Memory-mapped pixels, like those of the store."""
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (40, 24, 24, 3), dtype=np.uint8))
    return np.load(tmp_path / "images.npy", mmap_mode="r")


def pipeline(pixels, mix=None, augment="fundus"):
    rows = np.arange(3, 40)
    return TrainingBatches(
        net_inputs=pixels,
        rows=rows,
        targets=rows[:, None].astype(np.float32),
        sample_weights=np.linspace(0, 1, len(rows), dtype=np.float32),
        augment=build_augmenter(augment, "dihedral", pixels.shape[1:]) if isinstance(augment, str) else augment,
        batch_size=8,
        seed=7,
        mix=mix,
    )


def digest(batch):
    return hashlib.sha256(b"".join(part.tobytes() for part in batch)).hexdigest()


def digests(made, start, stop, processes):
    with closing(load_batches(made, start, stop, processes, digest)) as batches:
        return list(batches)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mix", "counts"),
    [
        (None, (0, 1, 2, 8)),
        (Mixer(0.4, 1.0), (0, 1, 2, 8)),
    ],
)
def test_batches_do_not_depend_on_worker_count(mapped, mix, counts):
    made = pipeline(mapped, mix)
    direct = [digest(made.batch(step)) for step in range(2, 14)]
    assert len(set(direct)) == 12
    for processes in counts:
        assert digests(made, 2, 14, processes) == direct


def test_threads_make_equal_batches(mapped):
    made = pipeline(mapped)
    alone = [digest(made.batch(step)) for step in range(12)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda step: digest(made.batch(step)), range(12))) == alone


def test_pickled_batches_contain_no_pixels(mapped):
    state = pipeline(mapped).__getstate__()
    assert state["net_inputs"]["shape"] == mapped.shape
    assert all(not isinstance(value, np.ndarray) or value.nbytes < mapped.nbytes for value in state.values())


@pytest.mark.slow
def test_early_stop_leaves_no_processes_or_shared_memory(mapped, monkeypatch):
    names = []
    shared = shared_memory.allocate

    def allocate_and_record(size):
        memory = shared(size)
        names.append(memory.name)
        return memory

    monkeypatch.setattr(shared_memory, "allocate", allocate_and_record)
    before = set(active_children())
    with closing(load_batches(pipeline(mapped), 0, 1000, 1, digest)) as batches:
        assert len([next(batches) for _ in range(3)]) == 3
        assert set(active_children()) > before
        SharedMemory(names[0]).close()
    assert set(active_children()) <= before
    with pytest.raises(FileNotFoundError):
        SharedMemory(names[0])
    assert digests(pipeline(mapped), 0, 3, 0) == [digest(pipeline(mapped).batch(step)) for step in range(3)]


def crash_in_a_worker(pixels, seed):
    from multiprocessing import parent_process

    if parent_process() is not None and seed % 5 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return pixels


@pytest.mark.slow
def test_killed_worker_is_reported(mapped):
    with refused("WORKERS: a process that makes batches was killed. .*WORKERS=0"):
        digests(pipeline(mapped, augment=crash_in_a_worker), 0, 40, 2)


def test_low_shared_memory_disables_workers(mapped, monkeypatch):
    monkeypatch.setattr(shared_memory, "available_bytes", lambda: 1000)
    monkeypatch.setattr(loader, "try_worker_pool", None)
    assert digests(pipeline(mapped), 0, 2, 2) == [digest(pipeline(mapped).batch(step)) for step in range(2)]


@pytest.mark.parametrize(
    ("num_used", "expected"),
    [(0, "none is used: the training process makes the batches"), (1, "only 1 is used"), (3, "only 3 are used")],
)
def test_warning_of_little_memory_says_how_many_workers_are_used(capsys, num_used, expected):
    loader._warn_of_little_memory.__wrapped__(1_000_000, 4, num_used)
    shown = " ".join(capsys.readouterr().out.split())
    assert f"for 4 workers, which need 16 MB; {expected}" in shown


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="memory is not asked for beforehand here")
def test_failed_shared_memory_allocation_disables_workers(mapped, monkeypatch):
    def full(descriptor, start, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(loader, "try_worker_pool", None)
    assert digests(pipeline(mapped), 0, 2, 2) == [digest(pipeline(mapped).batch(step)) for step in range(2)]


ORPHANS = """
import os, sys, numpy as np
from medfold.training.batches.batches import TrainingBatches
from medfold.training.batches.loader import load_batches
from medfold.training.batches.augmentation import build_augmenter

if __name__ == "__main__":
    pixels = np.zeros((40, 24, 24, 3), np.uint8)
    augment = build_augmenter("light", "none", (24, 24, 3))
    made = TrainingBatches(pixels, np.arange(40), np.ones((40, 1), np.float32), np.ones(40, np.float32), augment, 8, 0)
    for batch in load_batches(made, 0, 100000, 2, len):
        print("made", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_workers_end_when_training_is_killed(tmp_path):
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    with subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"made\n"
        children = descendants(process.pid)
        assert len(children) >= 2
        process.kill()
        process.stdout.close()
    deadline = time.monotonic() + 30
    while any(running(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [child for child in children if running(child)]


def descendants(parent):
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(pid) for pid, owner in (line.split() for line in listed.splitlines()) if int(owner) == parent]


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
