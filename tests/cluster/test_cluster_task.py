"""A task as the driver follows it; Ray is imitated: what it does when nodes die is in test_two_nodes."""

from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from ray.exceptions import GetTimeoutError, WorkerCrashedError

from medfold.cluster import cluster_task
from medfold.cluster.capacity import Division
from medfold.cluster.cluster_task import MAX_LOSSES, ClusterTask, Remote, run_tasks
from medfold.cluster.node import CHECKPOINT, RESULTS
from medfold.errors import UserError
from tests.support.helpers import refused

NODE = {"node": "10.0.0.2", "niceness": 0}
SILENT = "silent"


def part(kind, content=b"x", is_last=True):
    return {"file": kind, "part": content, "is_last": is_last}


DONE = part(RESULTS, b"results")


class FakeRay:
    """Ray with scripted attempts: lists of messages, errors that are raised, and SILENT for no message in time."""

    def __init__(self, attempts, clock):
        self.attempts, self.clock = [iter(attempt) for attempt in attempts], clock
        self.options, self.arguments, self.cancelled = [], [], []

    def remote(self, function):
        def begin(*arguments):
            self.arguments.append(arguments)
            return self.attempts.pop(0)

        def options(**given):
            self.options.append(given)
            return SimpleNamespace(remote=begin)

        return SimpleNamespace(options=options)

    def wait(self, messages, timeout):
        self.next = next(messages[0], StopIteration)
        if self.next is SILENT:
            self.clock.now += 30
            return [], messages
        self.pending = self.next
        return messages, []

    def get(self, reference, timeout):
        return reference

    def cancel(self, messages, force):
        self.cancelled.append(force)


@pytest.fixture
def follow(monkeypatch, tmp_path):
    """Returns a function that follows a task of scripted attempts, and returns it with what arrived."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(cluster_task.time, "monotonic", lambda: clock.now)

    def follow(*attempts):
        arrived = []
        fake = FakeRay(attempts, clock)
        monkeypatch.setattr(cluster_task, "ray", fake)

        def take(messages):
            if isinstance(fake.pending, type) and fake.pending is StopIteration:
                raise StopIteration
            if isinstance(fake.pending, Exception):
                raise fake.pending
            return fake.pending

        monkeypatch.setattr(cluster_task, "next", take, raising=False)
        receivers = {
            kind: lambda path, kind=kind: arrived.append((kind, path.read_bytes())) or path.unlink()
            for kind in (CHECKPOINT, RESULTS)
        }
        division = Division(2, 3, uses_gpu=True)
        task = ClusterTask(
            "fold 1",
            remote=Remote(division, "server"),
            function=print,
            arguments=lambda: ("inputs", len(arrived)),
            receivers=receivers,
            folder=tmp_path,
            log=tmp_path / "logs" / "fold1.log",
        )
        follow.fake, follow.arrived = fake, arrived
        task.run()
        return fake, arrived

    return follow


def test_parts_are_put_together_and_lines_shown_with_their_node(follow, capsys, tmp_path):
    line = {"topic": "fold 1", "text": "epoch 1/2"}
    fake, arrived = follow([NODE, {}, line, part(CHECKPOINT, b"ab", False), part(CHECKPOINT, b"cd"), DONE])
    assert arrived == [(CHECKPOINT, b"abcd"), (RESULTS, b"results")]
    assert capsys.readouterr().out == "fold 1     10.0.0.2: epoch 1/2\n"
    log = (tmp_path / "logs" / "fold1.log").read_text().splitlines()
    assert [entry[20:] for entry in log] == ["10.0.0.2: begins", "10.0.0.2: epoch 1/2"]
    assert fake.options == [
        {"num_returns": "streaming", "num_cpus": 3, "num_gpus": 1, "max_retries": 0, "name": "fold 1"}
    ]
    assert fake.arguments == [("inputs", 0, "server")]
    assert fake.cancelled == []
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (WorkerCrashedError(), "10.0.0.2 is lost (WorkerCrashedError)"),
        (GetTimeoutError(), "10.0.0.2 has not answered for 20 s"),
        (StopIteration, "10.0.0.2: ended without a result"),
        (SILENT, "10.0.0.2 has not answered for 20 s"),
        ({"crash": "out of memory"}, "10.0.0.2: the process died (out of memory)"),
    ],
)
def test_lost_task_goes_on_elsewhere_with_its_checkpoint(follow, capsys, tmp_path, loss, text):
    half = part(CHECKPOINT, b"half", False)
    fake, arrived = follow([NODE, part(CHECKPOINT), half, loss], [{**NODE, "node": "10.0.0.3"}, DONE])
    assert arrived == [(CHECKPOINT, b"x"), (RESULTS, b"results")]
    assert f"fold 1     {text}; goes on elsewhere\n" in capsys.readouterr().out
    assert fake.arguments == [("inputs", 0, "server"), ("inputs", 1, "server")]
    assert fake.cancelled == [True]
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]  # the half of a file is removed


def test_task_that_waits_for_a_free_node_is_not_lost(follow):
    _, arrived = follow([SILENT, SILENT, NODE, DONE])
    assert arrived == [(RESULTS, b"results")]


def test_task_without_progress_is_given_up(follow):
    with refused(f"fold 1: lost {MAX_LOSSES} times without progress, at last: 10.0.0.2 is lost"):
        follow(*[[NODE, WorkerCrashedError()]] * MAX_LOSSES)


def test_progress_counts_the_losses_anew(follow):
    lost = [NODE, part(CHECKPOINT), WorkerCrashedError()]
    _, arrived = follow(*[lost] * (2 * MAX_LOSSES), [NODE, DONE])
    assert len(arrived) == 2 * MAX_LOSSES + 1


def test_error_of_the_user_is_final(follow):
    with refused("lower the learning rate"):
        follow([NODE, {"error": UserError("lower the learning rate")}], [NODE, DONE])
    assert len(follow.fake.attempts) == 1
    assert follow.fake.cancelled == [True]


def test_nice_node_is_told(follow, capsys):
    follow([{**NODE, "niceness": 15}, DONE])
    assert "10.0.0.2: runs at niceness 15, slower beside other programs" in capsys.readouterr().out


def test_lines_about_a_copied_file_are_shown_now_and_then(follow, capsys):
    follow([NODE, *[{"text": f"images.npy: {k} MB"} for k in range(5)], DONE])
    assert capsys.readouterr().out == "fold 1     10.0.0.2: images.npy: 0 MB\n"


class Imitated:
    """A task that waits until it is stopped, or fails."""

    def __init__(self, error=None):
        self.error, self.stopped = error, cluster_task.threading.Event()

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
