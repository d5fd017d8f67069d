"""The training of runs as tasks of the driver: what nodes get, and where results are put; Ray is imitated."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from medfold.cluster.cluster_jobs import TrainingJob
from medfold.cluster.driver import training_tasks
from medfold.cluster.driver.capacity import NodeResources
from medfold.cluster.node.messages import CHECKPOINT, RESULTS
from medfold.competition import Recipe
from medfold.system import array_files
from medfold.training import TrainingRequest, features_hashes_path, pack_folds
from tests.support.finished_runs import finished_run
from tests.support.run_plans import planned


@pytest.fixture
def plans(folded):
    """The plans of two seeds; the recipe has a weights file, and trains the head on frozen features."""
    return [planned(folded, TrainingRequest(seed=seed)) for seed in (0, 1)]


def recorded_task(topic, **arguments):
    """Stands for a ClusterTask, and shows its arguments."""
    return SimpleNamespace(topic=topic, **arguments)


@pytest.fixture
def tasks_of(monkeypatch):
    """Returns a function that begins a job, and returns its tasks and how many run at a time."""

    def tasks_of(job, nodes=((2, 0),), send=print):
        begun = []
        monkeypatch.setattr(training_tasks.ray, "put", lambda value: value)
        monkeypatch.setattr(training_tasks, "start_file_server", lambda shared: ("server", shared))
        monkeypatch.setattr(training_tasks, "ClusterTask", recorded_task)
        monkeypatch.setattr(
            training_tasks, "run_tasks", lambda tasks, num_parallel: begun.append((tasks, num_parallel))
        )
        training_tasks.train(job, [NodeResources(*node) for node in nodes], send)
        return begun

    return tasks_of


def test_each_fold_of_each_run_is_a_task(plans, tasks_of, capsys):
    ((tasks, num_parallel),) = tasks_of(TrainingJob(None, plans, None, {}))
    topics = [f"{run} fold {fold}" for run in ("baseline", "baseline-s1") for fold in range(3)]
    assert [task.topic for task in tasks] == topics
    assert num_parallel == 6  # all wait at Ray, which knows what is free
    assert "1 node, 2 cores: 6 folds, 2 at a time, 1 thread each" in capsys.readouterr().out
    assert [task.topic for task in tasks_of(TrainingJob(None, plans[:1], 1, {}))[0][0]] == [
        "fold 0",
        "fold 1",
        "fold 2",
    ]


def test_number_of_jobs_is_held(plans, tasks_of):
    assert tasks_of(TrainingJob(None, plans, 2, {}), [(8, 0)])[0][1] == 2


def test_node_gets_files_by_their_names_and_no_pixels(plans, tasks_of, folded):
    folded.paths.plugins.write_text("# own code")
    ((tasks, _),) = tasks_of(TrainingJob(None, plans, 1, {"A": "1"}), [(4, 2)])
    node_inputs, number, checkpoint = tasks[-1].arguments()
    assert (node_inputs.run_inputs.store, node_inputs.run_inputs.seed, number, checkpoint) == (None, 1, 2, None)
    store = plans[0].folds[0].run_inputs.store.folder
    assert [file.path for file in node_inputs.store_files] == [str(path.absolute()) for path in sorted(store.iterdir())]
    assert tasks[-1].resources.file_server == ("server", node_inputs.store_files)
    assert (node_inputs.features_file, node_inputs.weights_file, node_inputs.plugins) == (None, None, b"# own code")
    assert node_inputs.environment == {"A": "1", "KERAS_BACKEND": "tensorflow"}
    assert (node_inputs.threads, node_inputs.uses_gpu) == (4, True)


def test_checkpoint_is_put_in_place_and_sent_with_the_next_attempt(plans, tasks_of, folded, tmp_path):
    ((tasks, _),) = tasks_of(TrainingJob(None, plans[:1], 1, {}))
    (tmp_path / "arrived").write_bytes(b"state")
    tasks[1].receivers[CHECKPOINT](tmp_path / "arrived")
    assert folded.paths.run("baseline").fold(1).checkpoint.read_bytes() == b"state"
    assert tasks[1].arguments()[2] == b"state"
    assert tasks[0].arguments()[2] is None


def test_results_are_put_in_place_and_reported(plans, tasks_of, folded, tmp_path):
    sent = []
    ((tasks, _),) = tasks_of(TrainingJob(None, plans[:1], 1, {}), send=lambda **message: sent.append(message))
    finished_run(folded, "elsewhere", folds=[1])
    pack_folds(folded.paths.run("elsewhere"), [1], tmp_path / "results.zip")
    checkpoint = folded.paths.run("baseline").fold(1).checkpoint
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"state")
    tasks[1].receivers[RESULTS](tmp_path / "results.zip")
    assert sent == [{"run": "baseline"}]
    assert folded.paths.run("baseline").fold(1).trained_marker.is_file()
    assert not checkpoint.exists()


@pytest.fixture
def frozen_plan(plans, tmp_path):
    """A plan whose recipe has a weights file, and trains the head on frozen features, which are missing."""
    weights = tmp_path / "net.weights.h5"
    weights.write_bytes(b"weights")
    inputs = plans[0].folds[0].run_inputs
    settings = inputs.recipe.model_dump()
    settings["backbone"]["weights"], settings["training"]["head_epochs"] = str(weights), 2
    features = tmp_path / "features" / "a.npy"
    features.parent.mkdir()
    inputs = replace(inputs, recipe=Recipe.model_validate(settings), features_file=features)
    return replace(plans[0], folds=[replace(fold, run_inputs=inputs) for fold in plans[0].folds])


def test_missing_features_are_computed_before_the_folds(frozen_plan, tmp_path, monkeypatch):
    features = frozen_plan.folds[0].run_inputs.features_file
    order = []

    def run_tasks(tasks, num_parallel):
        order.append([task.topic for task in tasks])
        if len(order) == 1:
            np.save(tmp_path / "arrived.npy", np.zeros((4, 1, 2), np.float32))
            tasks[0].receivers[RESULTS](tmp_path / "arrived.npy")
        else:
            order.append(tasks[0].arguments()[0])

    monkeypatch.setattr(training_tasks.ray, "put", lambda value: value)
    monkeypatch.setattr(training_tasks, "start_file_server", lambda shared: ("server", shared))
    monkeypatch.setattr(training_tasks, "ClusterTask", recorded_task)
    monkeypatch.setattr(training_tasks, "run_tasks", run_tasks)
    training_tasks.train(TrainingJob(None, [frozen_plan], 1, {}), [NodeResources(2, 0)], print)
    assert order[:2] == [["features"], ["fold 0", "fold 1", "fold 2"]]
    node_inputs = order[2]
    assert [file.path for file in (node_inputs.features_file, node_inputs.weights_file)] == [
        str(features),
        frozen_plan.folds[0].run_inputs.recipe.backbone.weights,
    ]
    assert array_files.is_intact(features, features_hashes_path(features))
