"""The driver as a child process of a command; the process is imitated, real ones are in test_this_machine."""

import threading

import pytest

from medfold.cluster import ClusterAddress, driver_process
from medfold.cluster.cluster_jobs import TrainingJob
from medfold.cluster.driver_process import check_cluster, driver_messages
from medfold.errors import UserError
from medfold.system.reporting_processes import CrashedError
from tests.support.helpers import refused

ADDRESS = ClusterAddress("10.0.0.1", 6379)


class FakeProcesses:
    """A driver that sends messages, then ends with an error, or waits until it is ended."""

    def __init__(self, messages, error=None, waits=False):
        self.messages, self.error, self.waits = messages, error, waits
        self.ended = threading.Event()

    def __call__(self, module, folder):
        return self

    def run(self, job, environment, listen):
        self.environment = environment
        for message in self.messages:
            listen(message)
        if self.waits:
            assert self.ended.wait(60)
        if self.error:
            raise self.error

    def end(self):
        self.ended.set()


@pytest.fixture
def messages_of(monkeypatch, tmp_path):
    def messages_of(processes, address=ADDRESS):
        monkeypatch.setattr(driver_process, "ReportingProcesses", processes)
        return driver_messages(tmp_path, TrainingJob(address, [], 1, {}))

    return messages_of


CONNECTED = {"connected": True}


def test_messages_are_passed_on_and_the_driver_is_ended(messages_of):
    processes = FakeProcesses([CONNECTED, {"topic": "fold 0", "text": "epoch 1/2"}])
    assert list(messages_of(processes)) == [{"topic": "fold 0", "text": "epoch 1/2"}]
    assert processes.ended.is_set()
    assert processes.environment["RAY_AUTH_MODE"] == "token"


def test_address_that_never_answers_is_given_up(messages_of, monkeypatch):
    monkeypatch.setattr(driver_process, "CONNECT_SECONDS", 0.05)
    processes = FakeProcesses([], waits=True)
    with refused("ADDRESS=10.0.0.1:6379: no Ray cluster answered within 0.05 s"):
        list(messages_of(processes))
    assert processes.ended.is_set()


def test_connected_driver_may_be_silent_for_long(messages_of, monkeypatch):
    monkeypatch.setattr(driver_process, "CONNECT_SECONDS", 0.05)
    processes = FakeProcesses([CONNECTED], waits=True)
    threading.Timer(0.3, processes.end).start()
    assert list(messages_of(processes)) == []


@pytest.mark.parametrize(("address", "where"), [(ADDRESS, "ADDRESS=10.0.0.1:6379"), (None, "ON=ray")])
def test_crashed_driver_is_reported_in_one_line(messages_of, address, where):
    with refused(f"{where}: the driver ended: terminate called. Run the same command again to continue"):
        list(messages_of(FakeProcesses([CONNECTED], CrashedError("terminate called")), address))


def test_error_of_the_driver_is_passed_on(messages_of):
    with refused("the loss is not a number"):
        list(messages_of(FakeProcesses([CONNECTED], UserError("the loss is not a number"))))


def test_driver_ends_if_nobody_listens_any_more(messages_of):
    processes = FakeProcesses([CONNECTED, {"a": 1}, {"b": 2}], waits=True)
    messages = messages_of(processes)
    next(messages)
    messages.close()
    assert processes.ended.is_set()


def test_cluster_is_checked_before_any_work(monkeypatch):
    called = []
    monkeypatch.setattr(driver_process, "check_ray_installed", lambda: called.append("ray"))
    monkeypatch.setattr(driver_process, "check_path_of_python", lambda: called.append("path"))
    monkeypatch.setattr(ClusterAddress, "check", lambda self: called.append(str(self)))
    check_cluster(None)
    check_cluster(ADDRESS)
    assert called == ["ray", "ray", "10.0.0.1:6379", "path"]
