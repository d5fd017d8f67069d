"""Folds trained in parallel processes."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from types import SimpleNamespace

import pytest
from filelock import FileLock, Timeout

from medfold.cli.opening import open_competition
from medfold.commands.folds import make_folds
from medfold.commands.train import train
from medfold.competition import Competition, Recipe
from medfold.errors import UserError
from medfold.runs import trained_folds
from medfold.system import hardware
from medfold.system.reporting_processes import CrashedError, StoppedError
from medfold.training import FoldInputs, RunPlan, TrainingRequest, parallel
from tests.support.helpers import REPOSITORY, refused
from tests.support.run_plans import planned


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


def result_files(competition, run):
    folder = competition.paths.run(run).folder
    return {f"{fold}/{name}": (folder / f"fold{fold}" / name).read_bytes() for fold in range(3) for name in NAMES}


NAMES = ("oof.csv", "test.csv", "history.csv")


@pytest.mark.slow
def test_parallel_folds_equal_folds_trained_alone(project_folder, two_cores, capfd, monkeypatch):
    competition = Competition.open("small")
    train(competition, run="together", jobs=2, overrides={"training": {"epochs": 3}})
    output = capfd.readouterr().out
    assert "folds 0, 1, 2, 2 at a time" in output
    for fold in range(3):
        assert re.search(rf"^fold {fold} +AUC [01]\.\d{{4}}\b", output, re.MULTILINE)
    assert "all 3 folds" in output
    # One after the other, with the same number of threads.
    monkeypatch.setattr(parallel, "split_resources", lambda jobs: [parallel.ResourceShare(1)])
    request = TrainingRequest(run="alone", overrides={"training": {"epochs": 3}})
    plan = planned(competition, request)
    finished = []
    errors = parallel.train_in_parallel(competition.project_paths.root, plan, 1, lambda: finished.append(len(finished)))
    assert (errors, finished) == ({}, [0, 1, 2])
    assert result_files(competition, "together") == result_files(competition, "alone")


@pytest.mark.slow
def test_failed_fold_does_not_stop_the_others(project_folder, two_cores, capfd):
    competition = Competition.open("small")
    run = competition.paths.run("baseline")
    make_folds(competition)
    (run.fold(1).weights / "in the way").mkdir(parents=True)
    with refused(r"1 of 3 folds failed: fold 1: .*run the same command to train the missing ones"):
        train(competition, jobs=2, overrides={})
    assert [fold for fold in range(3) if run.fold(fold).done.is_file()] == [0, 2]
    (run.fold(1).weights / "in the way").rmdir()
    run.fold(1).weights.rmdir()
    train(competition, jobs=2)
    assert run.fold(1).done.is_file()


@pytest.mark.slow
def test_backbone_without_weights_raises_before_folds_exist(project_folder, two_cores):
    message = r"^SET: 'training\.head_epochs': a backbone without weights has no features"
    overrides = {"training": {"head_epochs": 1}}
    with refused(message), open_competition("small", [], "baseline", overrides) as competition:
        train(competition, jobs=2, overrides=overrides)


@pytest.mark.slow
def test_missing_fold_is_trained_with_original_job_count(project_folder, two_cores, monkeypatch):
    competition, requested = Competition.open("small"), []
    for fold in (0, 2):
        train(competition, folds=[fold])
    monkeypatch.setattr(
        parallel, "train_in_parallel", lambda root, plan, num_jobs, finish: requested.append((plan, num_jobs)) or {}
    )
    train(competition, jobs=None)
    ((plan, num_jobs),) = requested
    assert (plan.fold_numbers, num_jobs) == ([1], 2)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_folds_end_when_their_parent_is_killed(project_folder, two_cores):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    command = [sys.executable, "-m", "medfold", "train", "-c", "small", "--jobs", "2", "--set", "training.epochs=5000"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    try:
        wait_for(lambda: num_locked_folds(project_folder) == 2)
    finally:
        process.kill()
        process.wait()
    wait_for(lambda: num_locked_folds(project_folder) == 0)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_stops_all_folds_without_failures(project_folder, two_cores):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    command = [sys.executable, "-m", "medfold", "train", "-c", "small", "--jobs", "2", "--set", "training.epochs=5000"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    heed = partial(signal.signal, signal.SIGINT, signal.default_int_handler)  # it is ignored where tests run with &
    process = subprocess.Popen(command, env=environment, start_new_session=True, preexec_fn=heed, **pipes)
    try:
        wait_for(lambda: num_locked_folds(project_folder) == 2)
        os.killpg(process.pid, signal.SIGINT)  # to the process group, as a terminal does
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, errors) == (130, "medfold: stopped; run the same command again to continue\n")
    assert "failed" not in output
    assert output.count("stopped") == 2
    wait_for(lambda: num_locked_folds(project_folder) == 0)


def num_locked_folds(root):
    """Returns the number of folds in training: each holds its lock."""
    count = 0
    for path in root.glob("runs/small/*/.fold*.lock"):
        try:
            with FileLock(path, timeout=0):
                pass
        except Timeout:
            count += 1
    return count


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_frozen_features_are_computed_before_parallel_folds(project_folder, two_cores, capfd):
    import keras

    file = project_folder / "net.weights.h5"
    keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(file)
    backbone = {"name": "MobileNetV2", "weights": str(file)}
    overrides = {"preparation": {"size": 32}, "backbone": backbone, "training": {"head_epochs": 2, "epochs": 0}}
    competition = Competition.open("small")
    train(competition, jobs=2, overrides=overrides, run="frozen")
    lines = [line.split()[0] for line in capfd.readouterr().out.splitlines() if line.startswith(("features ", "fold "))]
    assert lines[0] == "features"
    assert lines.count("features") == 1
    assert trained_folds(competition.paths.run("frozen"), 3) == [0, 1, 2]
