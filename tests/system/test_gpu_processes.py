"""A child process for each GPU. A GPU is only a name here: no test needs one."""

import os
import signal
import time
from functools import partial

import pytest

from medfold.errors import UserError
from medfold.system import gpu_processes
from medfold.system.gpu_processes import GpuProcesses
from tests.support.helpers import refused


def load():
    return [os.getpid()]  # one list per process, which the functions below change


def seen(calls, item):
    """Returns the process, its GPU, and the items that it got so far."""
    calls.append(item)
    return calls[0], os.environ.get("CUDA_VISIBLE_DEVICES"), calls[1:]


def slow_if_even(calls, item):
    time.sleep(0.2 * (item % 2 == 0))
    return item**2


def refuse(*_):
    raise UserError("a fault", "weights.h5", "Mend it")


def kill_own_process(calls, item):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("gpus", [[], ["3"]])
def test_one_gpu_or_none_starts_no_process(gpus, capsys):
    with GpuProcesses("squares", gpus, load) as processes:
        assert processes.num_processes == 1
        assert processes.call(len) == 1
        results = dict(processes.map(slow_if_even, iter([1, 2, 3])))
        assert list(results.items()) == [(1, 1), (2, 4), (3, 9)]
        ((_, (process, _, items)),) = processes.map(seen, ["a"])
        assert (process, items) == (os.getpid(), ["a"])
    assert capsys.readouterr().out == ""


def test_items_are_taken_one_by_one_without_gpus():
    taken = []
    items = (taken.append(number) or number for number in range(3))
    for number, _ in GpuProcesses("squares", [], load).map(slow_if_even, items):
        assert taken == list(range(number + 1))


@pytest.mark.slow
def test_each_gpu_has_a_process_and_its_turns(capfd):
    with GpuProcesses("squares", ["4", "7"], load) as processes:
        assert processes.num_processes == 2
        assert processes.call(len) == 1
        taken = []
        items = (taken.append(number) or number for number in range(6))
        found = []
        for number, square in processes.map(slow_if_even, items):
            assert len(taken) <= number + 4  # of the others, two for each process
            found.append((number, square))
        assert found == [(number, number**2) for number in range(6)]  # in order, though the odd ones are faster
        results = [result for _, result in processes.map(seen, range(5))]
        assert [(gpu, items) for _, gpu, items in results] == [
            ("4", [0]),
            ("7", [1]),
            ("4", [0, 2]),
            ("7", [1, 3]),
            ("4", [0, 2, 4]),
        ]
        assert len({process for process, _, _ in results} - {os.getpid()}) == 2
    assert "squares    2 GPUs, a process for each" in capfd.readouterr().out
    for process, _, _ in results:
        with pytest.raises(ProcessLookupError):  # ended with the block
            os.kill(process, 0)


@pytest.mark.slow
def test_errors_of_a_process_are_raised_here():
    with refused(r"^weights\.h5: a fault\. Mend it$"):
        GpuProcesses("squares", ["0", "1"], refuse)
    with GpuProcesses("squares", ["0", "1"], load) as processes:
        with refused(r"^weights\.h5: a fault\. Mend it$"):
            list(processes.map(refuse, [1, 2]))
        with refused("squares: the process was killed. It may have run out of memory"):
            list(processes.map(kill_own_process, [1]))


def test_without_shared_memory_this_process_does_all(monkeypatch):
    monkeypatch.setattr(gpu_processes, "try_worker_pool", lambda *arguments: None)
    with GpuProcesses("squares", ["0", "1"], partial(load)) as processes:
        assert processes.num_processes == 1
        assert dict(processes.map(slow_if_even, [3])) == {3: 9}
