"""A run: what is refused before images are prepared or a run is created."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from medfold.cli import app
from medfold.commands.train import train
from medfold.errors import UserError
from medfold.system import hardware, json_files
from medfold.system.reporting_processes import CrashedError
from medfold.training import fold as fold_package
from medfold.training import parallel, run, run_plan
from medfold.training.fold_training import FeatureComputation
from medfold.training.request import TrainingRequest
from medfold.training.run import train_run
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"backbone": {"name": "resnet8"}}, r"unknown backbone 'resnet8' \(did you mean 'resnet9'\?\)"),
        ({"backbone": {"name": "MobileNetV2", "weights": "gone.h5"}}, "gone.h5: no such weights file"),
        ({"augment": "fundsu"}, r"unknown pipeline 'fundsu' \(did you mean 'fundus'\?\)"),
        ({"training": {"epochs": 0}}, "nothing is trained"),
        ({"training": {"head_epochs": 1}}, "a backbone without weights has no features"),
        ({"head": "both"}, "task binary has no ordered classes"),
    ],
)
def test_untrainable_recipe_raises_before_images_are_prepared(small, overrides, message):
    with refused(message):
        train(small, overrides=overrides)
    assert not small.paths.measurements.exists()
    assert not small.paths.runs.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--jobs", "many"], "JOBS=many"),
        (["--workers", "-1"], "WORKERS=-1"),
        (["--fold", "7"], "FOLD"),
        (["--run", "a b"], "RUN"),
    ],
)
def test_invalid_options_leave_no_files(small, options, message):
    result = CliRunner().invoke(app, ["train", "-c", "small", *options])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert not small.paths.measurements.exists()
    assert not small.paths.runs.exists()


IMPOSSIBLE = {"backbone": {"name": "simple_cnn"}, "training": {"accumulation_steps": 10**6}}


def test_refused_settings_create_no_run(folded):
    with refused("no step is ever taken"):
        train(folded, overrides=IMPOSSIBLE, run="new")
    assert not folded.paths.run("new").folder.exists()


def test_refused_settings_keep_the_folds_of_a_run(folded):
    finished_run(folded, "begun", folds=[1])
    with refused(r"run\.json: this run was started differently: recipe\."):
        train(folded, overrides=IMPOSSIBLE, run="begun")
    assert folded.paths.run("begun").fold(1).done.is_file()


def test_checkpoint_of_a_fold_killed_when_it_was_done_is_removed(folded):
    finished_run(folded, "begun", folds=[0, 1, 2])
    run_paths = folded.paths.run("begun")
    left = [run_paths.fold(1).folder / name for name in ("checkpoint.npz", "before-checkpoint.npz")]
    for path in left:
        path.write_bytes(b"state")
    train(folded, run="begun", folds=[0])  # of other folds nothing is removed
    assert all(path.is_file() for path in left)
    train(folded, run="begun")
    assert not any(path.exists() for path in left)
    assert run_paths.fold(1).done.is_file()


def train_folds(competition, request, data):
    return train_run(competition, request, request.load_recipe(competition), data)


class FakeFold:
    """The module `fold`: training a fold writes its marker; it notes the folds, and fails at some."""

    def __init__(self):
        self.trained, self.workers, self.fails_at = [], [], None

    KeptNets = object

    def train_fold(self, inputs, number, fold_paths, kept_nets):
        if number == self.fails_at:
            raise UserError("the loss is not a number", f"fold {number}")
        self.trained.append(number)
        self.workers.append(inputs.num_workers)
        json_files.write({"oof.csv": "0" * 64}, fold_paths.done)
        return 0.75


@pytest.fixture
def imitated(folded, monkeypatch):
    """Imitates the training of folds in this process; the score is not computed."""
    fake = FakeFold()
    monkeypatch.setattr(fold_package, "fold", fake, raising=False)
    monkeypatch.setattr(run_plan, "load_store", lambda paths, key: None)
    monkeypatch.setattr(run, "write_oof", lambda facts, run_paths, train, targets: {"folds": fake.trained})
    monkeypatch.setattr("medfold.runs.fold_state.damaged_files", lambda fold_paths: [])
    fake.data = SimpleNamespace(train=None, targets=None, test=None)
    return fake


def test_missing_folds_are_trained_in_order_and_timed(folded, imitated, capsys):
    assert train_folds(folded, TrainingRequest(folds=[2], run="one"), imitated.data) == {"folds": [2]}
    train_folds(folded, TrainingRequest(run="one"), imitated.data)
    assert imitated.trained == [2, 0, 1]
    printed = capsys.readouterr().out
    assert "train      one: resnet9, 16 px, 2 epochs, folds 2\n" in printed
    assert "train      one: resnet9, 16 px, 2 epochs, folds 0, 1\n" in printed
    assert "fold 2     AUC 0.7500, 0 s" in printed


def test_finished_folds_are_not_trained_again(folded, imitated, capsys):
    train_folds(folded, TrainingRequest(run="one"), imitated.data)
    capsys.readouterr()
    train_folds(folded, TrainingRequest(run="one"), imitated.data)
    assert capsys.readouterr().out == "train      all folds are trained in runs/small/one\n"
    train_folds(folded, TrainingRequest(run="one", folds=[0, 2]), imitated.data)
    assert capsys.readouterr().out == "train      done: folds 0, 2 in runs/small/one\n"
    assert imitated.trained == [0, 1, 2]


def test_each_fold_is_reported_when_it_is_done(folded, imitated):
    reported = []

    def after_fold(name):
        reported.append((name, list(imitated.trained)))

    request = TrainingRequest(run="one", folds=[0, 2])
    train_run(folded, request, request.load_recipe(folded), imitated.data, after_fold)
    assert reported == [("one", [0]), ("one", [0, 2])]


def test_folds_in_processes_are_reported_when_they_are_done(folded, imitated, monkeypatch):
    reported = []
    imitate = lambda root, trainings, jobs, finish: finish() and {2: UserError("the loss is not a number")}  # noqa: E731
    monkeypatch.setattr(parallel, "train_in_parallel", imitate)
    request = TrainingRequest(run="one", jobs=2)
    finished_run(folded, "one", folds=[0])
    with refused("1 of 2 folds failed"):
        train_run(folded, request, request.load_recipe(folded), imitated.data, reported.append)
    assert reported == ["one"]


def test_number_of_workers_is_handed_to_each_fold(folded, imitated):
    train_folds(folded, TrainingRequest(run="one", workers=3, folds=[0, 1]), imitated.data)
    assert imitated.workers == [3, 3]


def test_run_is_removed_if_none_of_its_folds_has_begun(folded, imitated):
    imitated.fails_at = 0
    with refused("fold 0: the loss is not a number"):
        train_folds(folded, TrainingRequest(run="one"), imitated.data)
    assert not folded.paths.run("one").folder.exists()


def test_run_is_kept_if_one_of_its_folds_is_trained(folded, imitated):
    imitated.fails_at = 1
    with refused("fold 1: the loss is not a number"):
        train_folds(folded, TrainingRequest(run="one"), imitated.data)
    assert folded.paths.run("one").fold(0).done.is_file()
    assert folded.paths.run("one").metadata.is_file()


@pytest.mark.parametrize(
    ("request_made", "num_jobs"),
    [
        (TrainingRequest(jobs=2, run="one"), 2),
        (TrainingRequest(jobs=7, run="one"), 3),  # as many as there are folds
        (TrainingRequest(jobs=2, run="one", folds=[0, 1]), 2),
        (TrainingRequest(jobs=None, run="one", folds=[1], thread_shares=3), 3),
    ],
)
def test_folds_are_divided_among_processes(folded, imitated, monkeypatch, request_made, num_jobs):
    monkeypatch.setattr(hardware, "num_cores", lambda: 4)
    monkeypatch.setattr(hardware, "cuda_devices", list)
    asked = []
    note = lambda root, trainings, jobs, finish: asked.append((trainings, jobs)) or {}  # noqa: E731
    monkeypatch.setattr(parallel, "train_in_parallel", note)
    train_folds(folded, request_made, imitated.data)
    ((trainings, jobs),) = asked
    assert jobs == num_jobs
    assert [training.number for training in trainings] == (request_made.folds or [0, 1, 2])
    for training in trainings:
        assert training.paths == folded.paths.run("one").fold(training.number)
        assert training.plugins == folded.paths.plugins
        assert training.inputs.num_workers is None  # each child has its own share of the cores
    assert imitated.trained == []


@pytest.mark.parametrize(
    ("jobs", "gpus", "in_child"),
    [(1, ["0"], False), (1, ["0", "1"], True), (2, [], True)],
)
def test_features_are_computed_in_children_if_there_are_several_jobs_or_gpus(
    folded, imitated, monkeypatch, jobs, gpus, in_child
):
    monkeypatch.setattr(hardware, "cuda_devices", lambda: gpus)
    monkeypatch.setattr(parallel, "train_in_parallel", lambda *_: {})
    plan_with_head = run_plan.plan_run

    def plan(competition, request, recipe, data):
        made = plan_with_head(competition, request, recipe, data)
        recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"head_epochs": 1})})
        inputs = replace(made.trainings[0].inputs, recipe=recipe)
        return replace(made, trainings=[replace(training, inputs=inputs) for training in made.trainings])

    monkeypatch.setattr(run, "plan_run", plan)
    started = []
    monkeypatch.setattr(run, "run_in_subprocess", lambda what, function: started.append(function.__self__))
    train_folds(folded, TrainingRequest(jobs=jobs, run="one"), imitated.data)
    assert [type(work) for work in started] == [FeatureComputation] * in_child


def test_failed_folds_are_named_with_their_problems(folded, imitated, monkeypatch):
    errors = {0: CrashedError("out of memory"), 2: UserError("the loss is not a number")}
    monkeypatch.setattr(parallel, "train_in_parallel", lambda *_: errors)
    problems = "2 of 3 folds failed: fold 0: out of memory, fold 2: the loss is not a number. The others are done"
    with refused(problems):
        train_folds(folded, TrainingRequest(jobs=2, run="one"), imitated.data)
