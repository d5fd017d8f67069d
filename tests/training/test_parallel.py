"""Folds trained in parallel processes."""

from types import SimpleNamespace

import pytest

from medfold.competition import Recipe
from medfold.errors import UserError
from medfold.system import hardware
from medfold.system.reporting_processes import CrashedError, StoppedError
from medfold.training import FoldInputs, RunPlan, TrainingRequest, parallel


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(hardware, "num_cores", lambda: 2)
    monkeypatch.setattr(hardware, "cuda_devices", list)


@pytest.fixture
def four_gpus(monkeypatch):
    monkeypatch.setattr(hardware, "cuda_devices", lambda: ["2", "3", "5", "7"])


@pytest.mark.parametrize(("jobs", "num_folds", "num_jobs"), [(None, 5, 2), (None, 1, 1), (4, 3, 3)])
def test_default_of_jobs_is_one_per_core(two_cores, jobs, num_folds, num_jobs):
    assert parallel.resolve_jobs(jobs, num_folds=num_folds) == num_jobs


def test_jobs_share_the_cores(two_cores):
    assert parallel.split_resources(2) == [parallel.ResourceShare(1), parallel.ResourceShare(1)]
    assert parallel.split_resources(1) == [parallel.ResourceShare(2)]


def test_default_of_jobs_is_one_per_gpu(two_cores, four_gpus):
    assert parallel.resolve_jobs(None, num_folds=5) == 4


def test_each_job_has_one_gpu(two_cores, four_gpus):
    assert [share.gpu for share in parallel.split_resources(5)] == ["2", "3", "5", "7", "2"]
    assert parallel.ResourceShare(1, gpu="2").environment["CUDA_VISIBLE_DEVICES"] == "2"


def test_resource_share_limits_cores(monkeypatch):
    for name, value in parallel.ResourceShare(3).environment.items():
        monkeypatch.setenv(name, value)
    assert hardware.num_cores() == 3


@pytest.fixture
def children(monkeypatch, two_cores):
    """Imitates the child processes: `fails` holds the errors of folds that fail, `begun` the folds of each child.

    With `is_ctrl_c` a child is stopped because all are.
    """
    state = SimpleNamespace(fails={}, begun=[], is_ctrl_c=False)

    class Children:
        def __init__(self, module, folder):
            self.are_ending = False

        def run(self, work, environment, listen):
            state.begun.append([fold.number for fold in work.folds])
            listen({"topic": "store", "text": "of no fold"})
            for fold in work.folds:
                listen({"topic": fold.topic, "text": f"epoch on {environment['OMP_NUM_THREADS']} thread"})
                if fold.number in state.fails:
                    self.are_ending = state.is_ctrl_c
                    raise state.fails[fold.number]
                listen({"trained": fold.number})

        def end(self):
            self.are_ending = True

    monkeypatch.setattr(parallel, "ReportingProcesses", Children)
    return state


def plan_of(small, num_folds):
    folds = [FoldInputs(None, number, small.paths.run("one").fold(number)) for number in range(num_folds)]
    return RunPlan(TrainingRequest(), Recipe(), small.paths.run("one"), range(num_folds), folds, small.paths.plugins)


def test_each_child_trains_several_folds(children, small, capsys):
    finished = []
    errors = parallel.train_in_parallel(small.project_paths.root, plan_of(small, 5), 2, lambda: finished.append(1))
    assert (errors, len(finished)) == ({}, 5)
    assert sorted(children.begun) == [[0, 2, 4], [1, 3]]
    output = capsys.readouterr().out
    assert "fold 4     epoch on 1 thread" in output
    assert "of no fold" not in output


def test_after_a_failed_fold_another_child_trains_the_rest(children, small, capsys):
    children.fails = {0: CrashedError("out of memory"), 3: UserError("the loss is not a number")}
    errors = parallel.train_in_parallel(small.project_paths.root, plan_of(small, 5), 2, list)
    assert errors == children.fails
    assert sorted(children.begun) == [[0, 2, 4], [1, 3], [2, 4]]
    assert "fold 0     failed: out of memory" in capsys.readouterr().out


def test_folds_of_a_child_that_somebody_stops_are_errors(children, small, capsys):
    children.fails = {2: StoppedError()}
    errors = parallel.train_in_parallel(small.project_paths.root, plan_of(small, 5), 2, list)
    assert {number: str(error) for number, error in errors.items()} == dict.fromkeys((2, 4), "stopped by a signal")
    assert "fold 2     stopped" in capsys.readouterr().out


def test_folds_that_are_stopped_with_the_command_are_no_errors(children, small):
    children.fails, children.is_ctrl_c = {1: StoppedError()}, True
    assert parallel.train_in_parallel(small.project_paths.root, plan_of(small, 5), 1, list) == {}
    assert children.begun == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("error", [UserError("no disk space left"), KeyError("target")])
def test_error_after_a_fold_is_raised_when_all_are_trained(children, small, error):
    def finish():
        finished.append(1)
        if len(finished) == 2:
            raise error

    finished = []
    with pytest.raises(type(error)):
        parallel.train_in_parallel(small.project_paths.root, plan_of(small, 3), 2, finish)
    assert len(finished) == 3
