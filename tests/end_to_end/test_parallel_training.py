"""`make train JOBS=2`: folds in child processes, alike and together; an error, Ctrl-C or a kill of one and of all."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from filelock import FileLock, Timeout

from medfold.cli.opening import open_competition
from medfold.commands.folds import make_folds
from medfold.commands.train import train
from medfold.competition import Competition
from medfold.runs import trained_folds
from medfold.system import hardware
from medfold.training import TrainingRequest, parallel
from tests.support.helpers import REPOSITORY, refused
from tests.support.run_plans import planned

NAMES = ("oof.csv", "test.csv", "history.csv")
pytestmark = pytest.mark.slow


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(hardware, "num_cores", lambda: 2)
    monkeypatch.setattr(hardware, "cuda_devices", list)


def result_files(competition, run):
    folder = competition.paths.run(run).folder
    return {f"{fold}/{name}": (folder / f"fold{fold}" / name).read_bytes() for fold in range(3) for name in NAMES}


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
    request = TrainingRequest(given_name="alone", overrides={"training": {"epochs": 3}})
    plan = planned(competition, request)
    finished = []
    errors = parallel.train_in_parallel(competition.project_paths.root, plan, 1, lambda: finished.append(len(finished)))
    assert (errors, finished) == ({}, [0, 1, 2])
    assert result_files(competition, "together") == result_files(competition, "alone")


def test_failed_fold_does_not_stop_the_others(project_folder, two_cores):
    competition = Competition.open("small")
    run = competition.paths.run("baseline")
    make_folds(competition)
    (run.fold(1).weights / "in the way").mkdir(parents=True)
    with refused(r"1 of 3 folds failed: fold 1: .*run the same command to train the missing ones"):
        train(competition, jobs=2, overrides={})
    assert [fold for fold in range(3) if run.fold(fold).trained_marker.is_file()] == [0, 2]
    (run.fold(1).weights / "in the way").rmdir()
    run.fold(1).weights.rmdir()
    train(competition, jobs=2)
    assert run.fold(1).trained_marker.is_file()


def test_backbone_without_weights_raises_before_folds_exist(project_folder, two_cores):
    message = r"^SET: 'training\.head_epochs': a backbone without weights has no features"
    overrides = {"training": {"head_epochs": 1}}
    with refused(message), open_competition("small", [], "baseline", overrides) as competition:
        train(competition, jobs=2, overrides=overrides)


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
