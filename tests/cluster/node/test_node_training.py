"""The training of a fold on a node; the child process is imitated, the project folder is shared."""

import io
import time
from dataclasses import replace
from zipfile import ZipFile

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

from medfold.cluster.node import node_task, node_training
from medfold.cluster.node.files_on_nodes import SharedFile
from medfold.cluster.node.messages import CHECKPOINT, RESULTS, Crashed, Failed, FilePart, Heartbeat, Line
from medfold.cluster.node.node_training import NodeInputs, compute_features_on_node, train_fold_on_node
from medfold.errors import UserError
from medfold.runs import mark_fold_trained
from medfold.system.reporting_processes import CrashedError
from medfold.training import FoldTrainings, TrainingRequest, package_versions
from tests.support.run_plans import planned

WRONG_SETTING = UserError("wrong setting")


@pytest.fixture(autouse=True)
def _on_a_node(monkeypatch, tmp_path):
    monkeypatch.setattr(node_task.ray.util, "get_node_ip_address", lambda: "10.0.0.2")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(node_training, "HEARTBEAT_SECONDS", 0.02)


@pytest.fixture
def node_inputs(folded):
    inputs = planned(folded, TrainingRequest()).folds[0].run_inputs
    store = [SharedFile.of(path) for path in sorted(inputs.store.folder.iterdir())]
    common = {"features_file": None, "weights_file": None, "plugins": b"# own", "environment": {"A": "1"}}
    return NodeInputs(
        replace(inputs, store=None), store, versions=package_versions(), threads=3, uses_gpu=False, **common
    )


@pytest.fixture
def child(monkeypatch):
    """Imitates the child process by a function of its work and its listener."""
    found = {}

    def imitate(work_of_child):
        class Processes:
            def __init__(self, module, folder):
                assert module == "medfold.training.child"

            def run(self, work, environment, listen):
                found.update(work=work, environment=environment, plugins=work.plugins.read_bytes())
                inputs = work.folds[0].run_inputs if isinstance(work, FoldTrainings) else work.run_inputs
                found.update(inputs=inputs, pixels=inputs.store.pixels.shape)
                work_of_child(work, listen)

            def end(self):
                found["ended"] = True

        monkeypatch.setattr(node_training, "ReportingProcesses", Processes)
        return found

    return imitate


def finish(work):
    paths = work.folds[0].paths
    paths.folder.mkdir(parents=True, exist_ok=True)
    paths.oof.write_text("id,target")
    mark_fold_trained(paths, [paths.oof])


def contents(messages, kind):
    return b"".join(message.content for message in messages if isinstance(message, FilePart) and message.kind == kind)


def test_fold_is_trained_with_its_share_and_its_files_are_sent(node_inputs, child, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")  # Ray leaves it

    def train(work, listen):
        listen({"topic": "fold 2", "text": "epoch 1/2"})
        finish(work)

    found = child(train)
    messages = list(train_fold_on_node(node_inputs, 2, None, None))
    assert [message for message in messages if isinstance(message, Line)] == [Line("epoch 1/2")]
    with ZipFile(io.BytesIO(contents(messages, RESULTS))) as archive:
        assert set(archive.namelist()) == {"fold2/oof.csv", "fold2/done.json"}
    assert found["work"].folds[0].number == 2
    assert found["plugins"] == b"# own"
    assert found["pixels"][0] > 0
    environment = found["environment"]
    assert (environment["A"], environment["OMP_NUM_THREADS"], environment["CUDA_VISIBLE_DEVICES"]) == ("1", "3", "-1")


def test_gpu_of_the_task_is_that_of_the_training(node_inputs, child, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    found = child(lambda work, listen: finish(work))
    list(train_fold_on_node(replace(node_inputs, uses_gpu=True), 0, None, None))
    assert found["environment"]["CUDA_VISIBLE_DEVICES"] == "5"


def test_training_resumes_from_the_checkpoint_and_sends_each_new_one(node_inputs, child):
    seen = []

    def train(work, listen):
        checkpoint = work.folds[0].paths.checkpoint
        seen.append(checkpoint.read_bytes())
        for state in (b"later", b"last"):
            checkpoint.with_suffix(".tmp").write_bytes(state)
            checkpoint.with_suffix(".tmp").replace(checkpoint)
            listen({"topic": "fold 0", "text": "epoch"})
            time.sleep(0.3)  # the checkpoint is looked at every 0.02 s: each state is seen
        finish(work)

    child(train)
    messages = list(train_fold_on_node(node_inputs, 0, b"earlier", None))
    assert seen == [b"earlier"]
    assert contents(messages, CHECKPOINT) in (b"earlierlaterlast", b"laterlast")
    assert Heartbeat() in messages  # while the child is silent


@pytest.mark.parametrize(
    ("error", "last"),
    [(CrashedError("out of memory"), Crashed("out of memory")), (WRONG_SETTING, Failed(WRONG_SETTING))],
)
def test_end_of_a_failed_training_is_the_last_message(node_inputs, child, error, last):
    def train(work, listen):
        raise error

    found = child(train)
    assert list(train_fold_on_node(node_inputs, 0, None, None))[-1] == last
    assert found["ended"]


def test_weights_and_features_are_those_of_this_node(node_inputs, child, tmp_path):
    for name in ("net.weights.h5", "a.npy"):
        (tmp_path / name).write_bytes(b"content")
    weights, features = (SharedFile.of(tmp_path / name) for name in ("net.weights.h5", "a.npy"))
    found = child(lambda work, listen: finish(work))
    list(train_fold_on_node(replace(node_inputs, weights_file=weights, features_file=features), 0, None, None))
    inputs = found["inputs"]
    assert inputs.recipe.backbone.weights.endswith("/weights/net.weights.h5")
    assert inputs.features_file.name == "a.npy"
    assert inputs.recipe.fingerprint_input()["backbone"]["weights"] == "net.weights.h5"


def test_features_are_computed_and_sent(node_inputs, child):
    child(lambda work, listen: work.run_inputs.features_file.write_bytes(b"features"))
    assert contents(list(compute_features_on_node(node_inputs, None)), RESULTS) == b"features"


def test_other_packages_are_an_error_before_any_work(node_inputs, child):
    messages = list(train_fold_on_node(replace(node_inputs, versions={"keras": "1.0"}), 0, None, None))
    assert "has other packages" in str(messages[-1].error)
