"""Training on a cluster, seen from the command; the driver is imitated."""

import pytest

from medfold.cluster import cluster_training
from medfold.cluster.cluster_training import train_on_cluster
from medfold.data import make_dataset
from medfold.errors import SettingError
from medfold.runs import trained_folds
from medfold.system import locks
from medfold.training import TrainingRequest
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.fixture
def jobs():
    """The jobs that the driver got."""
    return []


@pytest.fixture
def cluster(folded, monkeypatch, jobs):
    """Returns a function that trains on a cluster whose driver sends these messages, and writes a fold for each run."""

    def train(messages, seeds=(0,), after_fold=None, **request):
        def driver_messages(root, job):
            jobs.append(job)
            for message in messages:
                if isinstance(message, Exception):
                    raise message
                if "run" in message:
                    num_trained = len(trained_folds(folded.paths.run(message["run"]), 3))
                    finished_run(folded, message["run"], folds=list(range(num_trained + 1)))
                yield message

        monkeypatch.setattr(cluster_training, "driver_messages", driver_messages)
        requests = [TrainingRequest(seed=seed, **request) for seed in seeds]
        recipe = requests[0].load_recipe(folded)
        dataset = make_dataset(folded, recipe.preparation)
        return train_on_cluster(folded, requests, recipe, dataset, None, after_fold)

    return train


def test_score_is_updated_after_each_fold(cluster, folded, capsys, jobs):
    reported = []
    messages = [{"topic": "cluster", "text": "1 node"}, *[{"run": "baseline"}] * 3]
    (score,) = cluster(messages, after_fold=reported.append, jobs=2)
    assert score.trained_folds == [0, 1, 2]
    assert reported == ["baseline"] * 3
    (job,) = jobs
    assert (job.address, job.max_parallel) == (None, 2)
    assert [plan.fold_numbers for plan in job.plans] == [[0, 1, 2]]
    assert "train      baseline: resnet9, 16 px, 2 epochs, folds 0, 1, 2\n" in capsys.readouterr().out


def test_runs_of_all_seeds_are_one_job(cluster, folded, jobs):
    finished_run(folded, "baseline")
    scores = cluster([], seeds=(0, 1, 2))
    (job,) = jobs
    assert [plan.run_paths.name for plan in job.plans] == ["baseline-s1", "baseline-s2"]  # the first one is trained
    assert [score is None for score in scores] == [False, True, True]


def test_trained_runs_need_no_cluster(cluster, folded, capsys, jobs):
    finished_run(folded, "baseline")
    (score,) = cluster([])
    assert score.trained_folds == [0, 1, 2]
    assert jobs == []
    assert "all folds are trained" in capsys.readouterr().out


def test_error_in_a_setting_names_its_file_and_the_run_is_removed(cluster, folded):
    with refused(r"baseline\.yaml: 'training\.batch_size': too large"):
        cluster([SettingError("too large", "training.batch_size")])
    assert not folded.paths.run("baseline").metadata.exists()


def test_run_is_trained_on_one_cluster_at_a_time(cluster, folded, jobs):
    with (
        locks.exclusive_lock(folded.paths.run("baseline").folder / "cluster", "it is trained"),
        refused("this run is trained in another process"),
    ):
        cluster([])
    assert jobs == []
