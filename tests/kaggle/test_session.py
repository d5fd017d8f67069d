"""Requests that must not be repeated, and names that Kaggle accepts."""

import pytest

from medfold.kaggle.session import kaggle_name
from tests.support.helpers import refused
from tests.support.kaggle_server import drop, lose, status
from tests.support.notebook_jobs import DATASET, REF, labelled, run


@pytest.mark.parametrize("method", ["CreateDataset", "CreateDatasetVersion", "SaveKernel"])
@pytest.mark.parametrize("fault", [lose, drop(after=3)])
def test_answer_lost_in_a_session_is_looked_up_not_repeated(hosted, job, method, fault):
    if method == "CreateDatasetVersion":
        run(job)
        job = labelled(job, "second")
    hosted.fault(method, fault)
    ran = run(job)
    assert hosted.asked(method) == 1
    assert ran.notebook_version.version == hosted.notebooks[REF].version
    assert ran.dataset_version.version == hosted.datasets[DATASET].version
    assert "the answer was lost" in hosted.said()


@pytest.mark.parametrize("method", ["CreateDataset", "SaveKernel"])
def test_request_of_unknown_state_is_not_repeated(hosted, job, method):
    hosted.fault(method, status(502, "Bad gateway"))
    with refused("unknown whether Kaggle received .*same command again"):
        run(job)
    assert hosted.asked(method) == 1
    assert run(job).notebook_version.version == 1


def test_names_on_kaggle_are_short_unique_slugs():
    assert kaggle_name("medfold", "Some_Competition", "a+b").startswith("medfold-some-competition-a-b-")
    long = kaggle_name("medfold", "rsna-intracranial-hemorrhage-detection", "baseline-training.epochs=3")
    assert len(long) <= 50
    assert long != kaggle_name("medfold", "rsna-intracranial-hemorrhage-detection", "baseline-training.epochs=4")
    assert len({kaggle_name("medfold", name) for name in ("a_b", "a-b", "a.b")}) == 3
    assert kaggle_name("medfold", "a-b") == "medfold-a-b"
