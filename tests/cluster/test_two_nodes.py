"""Folds on a real Ray cluster of two nodes: nodes and drivers die or freeze, and results equal those of one machine."""

import re
import shutil
import signal

import pytest

from medfold.system.hardware import THREAD_VARIABLES
from tests.support.helpers import REPOSITORY, replaced
from tests.support.processes import finish
from tests.support.ray_cluster import GUARD_SECONDS, HEAD, RayCluster, needs_cluster
from tests.support.small_project import SMALL, add_competition, copy_project

pytestmark = [pytest.mark.slow, needs_cluster]

SECOND = "127.0.0.3"
EPOCHS = 160  # long enough to be interrupted in the middle
SETTINGS = ["--set", f"training.epochs={EPOCHS}"]
FILES = ("oof.csv", "test.csv", "history.csv", "net.weights.h5")
ONE_THREAD = dict.fromkeys(THREAD_VARIABLES, "1")


@pytest.fixture(scope="module")
def trained_here(once):
    """A project of four folds whose run `here` was trained on this machine, with one thread."""

    def train(root):
        add_competition(root, "small", replaced(SMALL, ("k: 3", "k: 4")))
        shutil.copytree(REPOSITORY / "competition" / "_base", root / "competition" / "_base")
        prelude = f"import os; os.environ.update({ONE_THREAD})"
        finish(root, f"train -c small --run here {' '.join(SETTINGS)}", prelude, GUARD_SECONDS)

    return once("project of four folds", train)


@pytest.fixture
def project(trained_here, tmp_path, monkeypatch):
    return copy_project(trained_here, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with its head; a test adds the second node."""
    cluster = RayCluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start_node(HEAD, 2)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def two_nodes(cluster, project):
    cluster.start_node(SECOND, 2)
    yield cluster
    cluster.send(SECOND, signal.SIGCONT)
    cluster.kill_node(SECOND)


def start(cluster, project, *words, **environment):
    train = ["train", "-c", "small", "--run", "there", "--on", "ray", "--address", cluster.address, "--jobs", "4"]
    return cluster.start([*train, *SETTINGS, *words], project, **environment)


def output_of(process, returncode=0):
    output, errors = process.communicate(timeout=GUARD_SECONDS)
    print(output, errors)
    assert process.returncode == returncode
    assert (errors == "") == (returncode == 0)
    return output if returncode == 0 else errors


def log(project, fold):
    path = project / "runs" / "small" / "there" / "logs" / f"fold{fold}.log"
    return path.read_text() if path.is_file() else ""


def folds_on(project, node):
    """Returns the folds that train on a node: whose log says that an epoch ended there."""
    return [fold for fold in range(4) if f" {node}: epoch" in log(project, fold)]


def check_equal_to_local_run(project):
    here, there = (project / "runs" / "small" / name for name in ("here", "there"))
    for name in ["oof.csv", *(f"fold{fold}/{file}" for fold in range(4) for file in FILES)]:
        assert (there / name).read_bytes() == (here / name).read_bytes(), name


def test_folds_of_a_killed_node_go_on_elsewhere(two_nodes, project):
    process = start(two_nodes, project)
    two_nodes.wait_for(lambda: len(folds_on(project, SECOND)) == 2)
    lost = folds_on(project, SECOND)
    two_nodes.kill_node(SECOND)
    output = output_of(process)
    assert "2 nodes, 4 cores: 4 folds, 4 at a time, 1 thread each" in output
    for fold in lost:
        assert re.search(
            rf"^fold {fold} +{re.escape(SECOND)} is lost .*; continues on another node$", output, re.MULTILINE
        )
        assert re.search(rf"{re.escape(HEAD)}: resuming at epoch [0-9]+", log(project, fold))
    assert "all 4 folds" in output
    check_equal_to_local_run(project)
    assert two_nodes.trainings() == []


def test_node_that_freezes_and_comes_back_changes_nothing(two_nodes, project):
    process = start(two_nodes, project)
    two_nodes.wait_for(lambda: len(folds_on(project, SECOND)) == 2)
    lost = folds_on(project, SECOND)
    two_nodes.send(SECOND, signal.SIGSTOP)
    output = output_of(process)
    for fold in lost:
        assert re.search(rf"^fold {fold} +{re.escape(SECOND)} (is lost|has not answered) ", output, re.MULTILINE)
    check_equal_to_local_run(project)
    files = {path: path.stat().st_mtime_ns for path in (project / "runs").rglob("*")}
    two_nodes.send(SECOND, signal.SIGCONT)
    two_nodes.wait_for(lambda: two_nodes.trainings() == [])
    assert {path: path.stat().st_mtime_ns for path in (project / "runs").rglob("*")} == files


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_command_goes_on_after_its_driver_has_ended(two_nodes, project, number):
    process = start(two_nodes, project)
    two_nodes.wait_for(lambda: len(folds_on(project, SECOND)) == 2)
    process.send_signal(number)
    process.communicate(timeout=GUARD_SECONDS)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    two_nodes.wait_for(lambda: two_nodes.trainings() == two_nodes.drivers() == [])
    output = output_of(start(two_nodes, project))
    assert "resuming at epoch" in output
    check_equal_to_local_run(project)


def test_mistake_of_the_user_ends_all_folds_at_once(two_nodes, project):
    process = start(two_nodes, project, "--set", f"training.epochs={EPOCHS} training.learning_rate=1e30")
    errors = output_of(process, 2)
    assert re.fullmatch(r"medfold: .*the loss is not a number at epoch 1, step [0-9]+\. Lower .*\n", errors)
    assert two_nodes.trainings() == two_nodes.drivers() == []
    starts = sum(log(project, fold).count("begins") for fold in range(4))
    assert starts <= 4  # none was tried again


def test_store_reaches_a_node_without_a_shared_folder_once(cluster, project):
    cluster.start_node(SECOND, 4, hidden=project)
    try:
        output_of(start(cluster, project))
    finally:
        cluster.kill_node(SECOND)
    assert folds_on(project, SECOND)
    check_equal_to_local_run(project)
    store = next((project / "data" / "small" / "store").iterdir())
    copied = {
        path.read_bytes() for path in cluster.cache(SECOND).iterdir() if path.is_file() and path.suffix != ".lock"
    }
    assert copied == {path.read_bytes() for path in store.iterdir()}
    assert not list((cluster.cache(SECOND) / "work").iterdir())


def test_images_prepared_on_two_nodes_equal_those_of_one_machine(cluster, trained_here, project):
    data = project / "data" / "small"
    for path in (data / "store", data / "measurements.csv"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    cluster.start_node(SECOND, 2, hidden=project)
    try:
        words = ["prepare", "-c", "small", "--on", "ray", "--address", cluster.address]
        output = output_of(cluster.start(words, project))
    finally:
        cluster.kill_node(SECOND)
    assert "2 nodes, 4 cores" in output
    original = trained_here / "data" / "small"
    compared = [path.relative_to(original) for path in (original / "store").rglob("*") if path.is_file()]
    assert len(compared) >= 3
    for name in [*compared, "measurements.csv"]:
        assert (data / name).read_bytes() == (original / name).read_bytes(), name


def test_frozen_features_are_computed_on_the_cluster_once(cluster, project):
    import keras

    file = project / "net.weights.h5"
    keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(file)
    settings = f"preparation.size=32 backbone.name=MobileNetV2 backbone.weights={file.name} training.head_epochs=2"
    words = ["train", "-c", "small", "--set", f"{settings} training.epochs=0"]
    output_of(cluster.start([*words, "--run", "alone", "--fold", "1"], project, **ONE_THREAD))
    features = project / "data" / "small" / "features"
    original = {path.name: path.read_bytes() for path in features.rglob("*.npy")}
    shutil.rmtree(features)
    cluster.start_node(SECOND, 2, hidden=project)
    try:
        on_ray = ["--on", "ray", "--address", cluster.address, "--jobs", "4"]
        output = output_of(cluster.start([*words, "--run", "there", *on_ray], project))
    finally:
        cluster.kill_node(SECOND)
    assert len(re.findall(r"^features .*kept for all folds", output, re.MULTILINE)) == 1
    assert {path.name: path.read_bytes() for path in features.rglob("*.npy")} == original
    runs = project / "runs" / "small"
    assert (runs / "there" / "fold1" / "oof.csv").read_bytes() == (runs / "alone" / "fold1" / "oof.csv").read_bytes()


def test_wrong_token_is_refused(cluster, project):
    errors = output_of(start(cluster, project, RAY_AUTH_TOKEN="wrong" * 8), 2)
    assert errors.startswith(f"medfold: ADDRESS={cluster.address}: cannot connect: ")
    assert "Check the token" in errors


def test_address_without_an_answer_is_refused_at_once(cluster, project):
    errors = output_of(start(cluster, project, "--address", f"{HEAD}:1"), 2)
    assert errors.startswith(f"medfold: ADDRESS={HEAD}:1: no answer: Connection refused. Give the address")
