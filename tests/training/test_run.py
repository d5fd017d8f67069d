"""Training of a run: which folds, in which processes, and what is reported; the training of a fold is imitated."""

from unittest.mock import create_autospec

import numpy as np
import pytest

from medfold.data import make_dataset
from medfold.errors import UserError
from medfold.runs import predictions_table
from medfold.system import hardware
from medfold.system.reporting_processes import CrashedError
from medfold.training import FeatureComputation, TrainingRequest, parallel, run
from medfold.training.fold import train_fold
from medfold.training.run import train_run
from tests.support.finished_runs import finished_run, write_fold
from tests.support.helpers import refused


def train_folds(competition, dataset, after_fold=None, **variables):
    request = TrainingRequest(given_name="one", **variables)
    return train_run(competition, request, request.load_recipe(competition), dataset, after_fold)


class RandomTraining:
    """Stands in for the training of a fold: writes random predictions; notes the folds, and fails at one."""

    def __init__(self):
        self.trained, self.workers, self.fails_at = [], [], None

    def __call__(self, fold, kept_nets):
        if fold.number == self.fails_at:
            raise UserError("the loss is not a number", fold.topic)
        self.trained.append(fold.number)
        inputs, rng = fold.run_inputs, np.random.default_rng(fold.number)
        self.workers.append(inputs.num_workers)
        oof, test = (rng.random((len(table), 1)) for table in (fold.validation, inputs.test))
        write_fold(
            fold.paths,
            oof=predictions_table(inputs.facts, fold.validation["id"], oof, fold=fold.number),
            test=predictions_table(inputs.facts, inputs.test["id"], test),
        )
        return 0.75


@pytest.fixture
def random_training(monkeypatch):
    fake = RandomTraining()
    monkeypatch.setattr(train_fold, "train_fold", create_autospec(train_fold.train_fold, side_effect=fake))
    return fake


@pytest.fixture
def dataset(folded, random_training):
    """The dataset with its prepared images."""
    return make_dataset(folded, TrainingRequest().load_recipe(folded).preparation)


def test_missing_folds_are_trained_in_order_and_timed(folded, dataset, random_training, capsys):
    assert train_folds(folded, dataset, fold_numbers=[2]).trained_folds == [2]
    assert train_folds(folded, dataset).trained_folds == [0, 1, 2]
    assert random_training.trained == [2, 0, 1]
    printed = capsys.readouterr().out
    assert "train      one: resnet9, 16 px, 2 epochs, fold 2\n" in printed
    assert "train      one: resnet9, 16 px, 2 epochs, folds 0, 1\n" in printed
    assert "fold 2     AUC 0.7500, 0 s" in printed


def test_finished_folds_are_not_trained_again(folded, dataset, random_training, capsys):
    train_folds(folded, dataset)
    capsys.readouterr()
    train_folds(folded, dataset)
    assert capsys.readouterr().out == "train      all folds are trained in runs/small/one\n"
    train_folds(folded, dataset, fold_numbers=[0, 2])
    assert capsys.readouterr().out == "train      trained: folds 0, 2 in runs/small/one\n"
    assert random_training.trained == [0, 1, 2]


def test_each_fold_is_reported_when_the_oof_table_has_it(folded, dataset):
    reported = []

    def after_fold(name):
        reported.append((name, folded.paths.run(name).oof.read_text().count("\n") - 1))

    train_folds(folded, dataset, after_fold, fold_numbers=[0, 2])
    num_samples = dataset.train["fold"].value_counts()
    assert reported == [("one", num_samples[0]), ("one", num_samples[0] + num_samples[2])]


class FakeChildren:
    """Stands in for the training in child processes: `asked` is what was begun; `errors` are those that it reports."""

    def __init__(self):
        self.asked, self.errors = [], {}

    def __call__(self, root, plan, num_jobs, fold_trained):
        self.asked.append((plan, num_jobs))
        fold_trained()
        return self.errors


@pytest.fixture
def children(monkeypatch):
    fake = FakeChildren()
    spec = create_autospec(parallel.train_in_parallel, side_effect=fake)
    monkeypatch.setattr(parallel, "train_in_parallel", spec)
    return fake


def test_folds_in_processes_are_reported_when_they_are_done(folded, dataset, children):
    finished_run(folded, "one", folds=[0])
    reported = []
    children.errors = {2: UserError("the loss is not a number")}
    with refused("1 of 2 folds failed: fold 2: the loss is not a number. The others are done; run the same command"):
        train_folds(folded, dataset, reported.append, jobs=2)
    assert reported == ["one"]


def test_number_of_workers_is_handed_to_each_fold(folded, dataset, random_training):
    train_folds(folded, dataset, workers=3, fold_numbers=[0, 1])
    assert random_training.workers == [3, 3]


def test_run_is_removed_if_none_of_its_folds_has_begun(folded, dataset, random_training):
    random_training.fails_at = 0
    with refused("fold 0: the loss is not a number"):
        train_folds(folded, dataset)
    assert not folded.paths.run("one").folder.exists()


def test_run_is_kept_if_one_of_its_folds_is_trained(folded, dataset, random_training):
    random_training.fails_at = 1
    with refused("fold 1: the loss is not a number"):
        train_folds(folded, dataset)
    assert folded.paths.run("one").fold(0).trained_marker.is_file()
    assert folded.paths.run("one").metadata.is_file()


@pytest.mark.parametrize(
    ("variables", "num_jobs"),
    [
        ({"jobs": 2}, 2),
        ({"jobs": 7}, 3),  # as many as there are folds
        ({"jobs": 2, "fold_numbers": [0, 1]}, 2),
        ({"jobs": None, "fold_numbers": [1], "thread_shares": 3}, 3),
    ],
)
def test_folds_are_divided_among_processes(
    folded, dataset, random_training, children, monkeypatch, variables, num_jobs
):
    monkeypatch.setattr(hardware, "num_cores", lambda: 4)
    monkeypatch.setattr(hardware, "cuda_devices", list)
    finished_run(folded, "one", folds=[0])
    train_folds(folded, dataset, **variables)
    ((plan, jobs),) = children.asked
    assert jobs == num_jobs
    assert plan.fold_numbers == [fold for fold in variables.get("fold_numbers", [1, 2]) if fold]
    assert all(fold.run_inputs.num_workers is None for fold in plan.folds)  # a child knows its share of cores
    assert random_training.trained == []


@pytest.mark.parametrize(
    ("jobs", "gpus", "in_child"),
    [(1, ["0"], False), (1, ["0", "1"], True), (2, [], True)],
)
def test_features_are_computed_in_children_if_there_are_several_jobs_or_gpus(
    folded, dataset, children, monkeypatch, jobs, gpus, in_child
):
    monkeypatch.setattr(hardware, "cuda_devices", lambda: gpus)
    started = []
    monkeypatch.setattr(run, "run_in_subprocess", lambda what, function: started.append(function.__self__))
    train_folds(folded, dataset, jobs=jobs, overrides={"training": {"head_epochs": 1}})
    assert [type(work) for work in started] == [FeatureComputation] * in_child


def test_failed_folds_are_named_with_their_problems(folded, dataset, children):
    finished_run(folded, "one", folds=[1])
    children.errors = {0: CrashedError("out of memory"), 2: UserError("the loss is not a number")}
    problems = "2 of 2 folds failed: fold 0: out of memory, fold 2: the loss is not a number. Run the same command"
    with refused(problems):
        train_folds(folded, dataset, jobs=2)
