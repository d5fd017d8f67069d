"""A task as the driver follows it, with scripted attempts; what real nodes do is in test_two_nodes."""

import threading
from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from medfold.cluster.driver import cluster_task
from medfold.cluster.driver.attempt import LostError
from medfold.cluster.driver.capacity import Capacity
from medfold.cluster.driver.cluster_task import MAX_LOSSES, ClusterTask, JobResources, run_tasks
from medfold.cluster.node.messages import (
    CHECKPOINT,
    RESULTS,
    CopyProgress,
    Crashed,
    Failed,
    FilePart,
    Heartbeat,
    Line,
    Started,
)
from medfold.errors import UserError
from tests.support.helpers import refused

STARTED = Started("10.0.0.2", niceness=0)
DONE = FilePart(RESULTS, b"results", is_last=True)
LOST = LostError("is lost (WorkerCrashedError)")
CAPACITY = Capacity(2, 3, uses_gpu=True)
SILENT = None


class Attempts:
    """Attempts with scripted messages, errors that are raised, and SILENT for no message in 30 seconds."""

    def __init__(self, scripts, seconds_per_message):
        self.scripts, self.begun, self.num_cancelled, self.now = list(scripts), [], 0, 0.0
        self.seconds_per_message = seconds_per_message

    def begin(self, topic, function, arguments, capacity):
        """Begins the next attempt, as the class Attempt does."""
        self.begun.append((topic, function, arguments, capacity))
        script = iter(self.scripts.pop(0))

        def next_message(seconds):
            message = next(script)
            self.now += 30 if message is SILENT else self.seconds_per_message
            if isinstance(message, Exception):
                raise message
            return message

        def cancel():
            self.num_cancelled += 1

        return SimpleNamespace(next=next_message, cancel=cancel)


@pytest.fixture
def followed():
    """The attempts of each task that was followed."""
    return []


@pytest.fixture
def follow(monkeypatch, tmp_path, followed):
    """Returns a function that follows a task of scripted attempts, and returns them with what arrived."""

    def follow(*scripts, seconds_per_message=0):
        attempts, arrived = Attempts(scripts, seconds_per_message), []
        followed.append(attempts)
        monkeypatch.setattr(cluster_task, "Attempt", attempts.begin)
        monkeypatch.setattr(cluster_task.time, "monotonic", lambda: attempts.now)
        receivers = {
            kind: lambda path, kind=kind: arrived.append((kind, path.read_bytes())) or path.unlink()
            for kind in (CHECKPOINT, RESULTS)
        }
        ClusterTask(
            "fold 1",
            resources=JobResources(CAPACITY, "server"),
            function=print,
            arguments=lambda: ("inputs", len(arrived)),
            receivers=receivers,
            folder=tmp_path,
            log=tmp_path / "logs" / "fold1.log",
        ).run()
        return attempts, arrived

    return follow


def checkpoint(content=b"x", is_last=True):
    return FilePart(CHECKPOINT, content, is_last)


def test_parts_are_put_together_and_lines_shown_with_their_node(follow, capsys, tmp_path):
    attempts, arrived = follow(
        [STARTED, Heartbeat(), Line("epoch 1/2"), checkpoint(b"ab", is_last=False), checkpoint(b"cd"), DONE]
    )
    assert arrived == [(CHECKPOINT, b"abcd"), (RESULTS, b"results")]
    assert capsys.readouterr().out == "fold 1     10.0.0.2: epoch 1/2\n"
    log = (tmp_path / "logs" / "fold1.log").read_text().splitlines()
    assert [entry[20:] for entry in log] == ["10.0.0.2: begins", "10.0.0.2: epoch 1/2"]
    assert attempts.begun == [("fold 1", print, ("inputs", 0, "server"), CAPACITY)]
    assert attempts.num_cancelled == 0
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (LOST, "10.0.0.2 is lost (WorkerCrashedError)"),
        (SILENT, "10.0.0.2 has not answered for 20 s"),
        (Crashed("out of memory"), "10.0.0.2 reports that the process died (out of memory)"),
    ],
)
def test_lost_task_continues_elsewhere_from_its_checkpoint(follow, capsys, tmp_path, loss, text):
    half = checkpoint(b"half", is_last=False)
    attempts, arrived = follow([STARTED, checkpoint(), half, loss], [Started("10.0.0.3", 0), DONE])
    assert arrived == [(CHECKPOINT, b"x"), (RESULTS, b"results")]
    assert f"fold 1     {text}; continues on another node\n" in capsys.readouterr().out
    assert [arguments for _, _, arguments, _ in attempts.begun] == [("inputs", 0, "server"), ("inputs", 1, "server")]
    assert attempts.num_cancelled == 1
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]  # the half of a file is removed


def test_task_that_waits_for_a_free_node_is_not_lost(follow):
    _, arrived = follow([SILENT, SILENT, STARTED, DONE])
    assert arrived == [(RESULTS, b"results")]


def test_task_without_progress_is_given_up(follow):
    with refused(f"fold 1: lost {MAX_LOSSES} times without progress; the last time: 10.0.0.2 is lost"):
        follow(*[[STARTED, LOST]] * MAX_LOSSES)


def test_progress_counts_the_losses_anew(follow):
    _, arrived = follow(*[[STARTED, checkpoint(), LOST]] * (2 * MAX_LOSSES), [STARTED, DONE])
    assert len(arrived) == 2 * MAX_LOSSES + 1


def test_error_of_the_user_is_final(follow, followed):
    with refused("lower the learning rate"):
        follow([STARTED, Failed(UserError("lower the learning rate"))], [STARTED, DONE])
    (attempts,) = followed
    assert len(attempts.scripts) == 1
    assert attempts.num_cancelled == 1


def test_nice_node_is_reported(follow, capsys):
    follow([Started("10.0.0.2", niceness=15), DONE])
    assert "10.0.0.2: runs at niceness 15, slower beside other programs" in capsys.readouterr().out


def test_lines_about_a_copied_file_are_shown_every_few_seconds(follow, capsys):
    follow([STARTED, *[CopyProgress(f"images.npy: {k} MB") for k in range(9)], DONE], seconds_per_message=2)
    shown = capsys.readouterr().out.splitlines()
    assert shown == [f"fold 1     10.0.0.2: images.npy: {k} MB" for k in (0, 3, 6)]


class Imitated:
    """A task that waits until it is stopped, or fails."""

    def __init__(self, error=None):
        self.error, self.stopped = error, threading.Event()

    def run(self):
        if self.error:
            raise self.error
        self.stopped.wait(60)

    def stop(self):
        self.stopped.set()


def test_first_error_ends_all_tasks():
    tasks = [Imitated(), Imitated(UserError("wrong setting")), Imitated()]
    with refused("wrong setting"):
        run_tasks(tasks, 3)
    assert all(task.stopped.is_set() for task in tasks)
