"""The driver: its connection to Ray, and which job it does; Ray is imitated."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from medfold.cluster import ClusterAddress
from medfold.cluster.cluster_jobs import ScanJob, TrainingJob
from medfold.cluster.driver import driver
from medfold.errors import UserError
from tests.support.helpers import refused

ADDRESS = ClusterAddress("10.0.0.1", 6379)
NODES = [
    {"Alive": True, "Resources": {"CPU": 4.0, "GPU": 1.0}},
    {"Alive": False, "Resources": {"CPU": 8.0}},
    {"Alive": True, "Resources": {}},
]


@pytest.fixture
def ray(monkeypatch):
    """Ray that notes how it is started."""
    fake = SimpleNamespace(started=[], error=None, shut_down=0, nodes=lambda: NODES)

    def init(address, **options):
        fake.started.append((address, options))
        if fake.error:
            raise fake.error

    def shutdown():
        fake.shut_down += 1

    fake.init, fake.shutdown = init, shutdown
    monkeypatch.setattr(driver, "ray", fake)
    return fake


@pytest.fixture
def done(monkeypatch):
    """The jobs that the driver does, with the nodes that it found."""
    done = []
    for name in ("train", "scan"):
        monkeypatch.setattr(driver, name, lambda job, nodes, send, name=name: done.append((name, job, nodes)))
    return done


def do(monkeypatch, job):
    sent = []
    monkeypatch.setattr(driver, "work_as_child", lambda work: work(job, lambda **message: sent.append(message)) or 0)
    assert driver.main() == 0
    return sent


def test_cluster_of_this_machine_is_started_without_a_dashboard(ray, done, monkeypatch):
    monkeypatch.setattr(driver.hardware, "num_cores", lambda: 3)
    job = TrainingJob(None, [], 1, {})
    assert do(monkeypatch, job) == [{"connected": True}]
    ((address, options),) = ray.started
    assert address == "local"
    assert (options["num_cpus"], options["include_dashboard"], options["log_to_driver"]) == (3, False, False)
    assert done == [("train", job, [(4, 1), (0, 0)])]  # of the nodes that live
    assert ray.shut_down == 1


def test_nodes_get_the_folder_of_this_code(ray, done, monkeypatch):
    do(monkeypatch, ScanJob(ADDRESS, [], None, None))
    ((address, options),) = ray.started
    assert address == "10.0.0.1:6379"
    assert "num_cpus" not in options
    (folder,) = options["runtime_env"]["py_modules"]
    assert folder == str(Path(sys.modules["medfold"].__file__).parent)
    assert done[0][0] == "scan"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (ADDRESS, "ADDRESS=10.0.0.1:6379: cannot connect: Version mismatch. Check the token"),
        (None, "ON=ray: Ray does not start: Version mismatch"),
    ],
)
def test_refused_connection_is_reported_in_one_line(ray, monkeypatch, address, message):
    ray.error = RuntimeError("\n Version mismatch\nThe cluster was started with: ...")
    with refused(message):
        do(monkeypatch, TrainingJob(address, [], 1, {}))


def test_connection_ends_after_an_error(ray, monkeypatch):
    def train(job, nodes, send):
        raise UserError("wrong setting")

    monkeypatch.setattr(driver, "train", train)
    with refused("wrong setting"):
        do(monkeypatch, TrainingJob(None, [], 1, {}))
    assert ray.shut_down == 1
