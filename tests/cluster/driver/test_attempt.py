"""One attempt of a task: what Ray is asked for, and its errors; a real Ray is in test_two_nodes."""

from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from ray.exceptions import GetTimeoutError, RayTaskError, RuntimeEnvSetupError, WorkerCrashedError

from medfold.cluster.driver import attempt
from medfold.cluster.driver.attempt import Attempt, LostError
from medfold.cluster.driver.capacity import Capacity
from medfold.cluster.node.messages import Heartbeat
from tests.support.helpers import refused


@pytest.fixture
def options():
    """The options of the last task of Ray."""
    return {}


@pytest.fixture
def start(monkeypatch, options):
    """Returns a function that starts an attempt whose only message is one, or an error of Ray that is raised."""

    def start(message, is_ready=True):
        def get(reference, timeout):
            if isinstance(message, Exception):
                raise message
            return message

        def with_options(**given):
            options.update(given)
            return SimpleNamespace(remote=lambda *arguments: iter(() if message is StopIteration else [message]))

        fake = SimpleNamespace(
            remote=lambda function: SimpleNamespace(options=with_options),
            wait=lambda messages, timeout: (messages if is_ready else [], []),
            get=get,
        )
        monkeypatch.setattr(attempt, "ray", fake)
        return Attempt("fold 1", print, ("inputs",), Capacity(2, 3, uses_gpu=True))

    return start


def test_task_gets_its_threads_and_gpu_and_is_not_repeated_by_ray(start, options):
    assert start(Heartbeat()).next(1) == Heartbeat()
    assert options == {
        "num_returns": "streaming",
        "num_cpus": 3,
        "num_gpus": 1,
        "max_retries": 0,
        "name": "fold 1",
    }


def test_no_message_in_time_is_none(start):
    assert start(Heartbeat(), is_ready=False).next(1) is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WorkerCrashedError(), r"is lost \(WorkerCrashedError\)"),
        (GetTimeoutError(), "has not answered for 20 s"),
        (StopIteration, "ended the task without a result"),
    ],
)
def test_errors_of_a_lost_node_say_how_it_was_lost(start, error, text):
    with pytest.raises(LostError, match=f"^{text}$"):
        start(error).next(1)


def test_node_that_cannot_install_medfold_is_an_error_for_the_user(start):
    with refused("fold 1: a node cannot install medfold: .*no space left.* Check the disk of the node"):
        start(RuntimeEnvSetupError("pip failed:\nno space left")).next(1)


def test_fault_in_medfold_is_raised_as_it_is(start):
    error = RayTaskError("train", "Traceback", KeyError("target"))
    with pytest.raises(RayTaskError):
        start(error).next(1)
