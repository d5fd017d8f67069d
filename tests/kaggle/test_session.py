"""Requests that must not be repeated, and names that Kaggle takes."""

import pytest

from medfold.kaggle.session import name_of
from tests.support.helpers import refused
from tests.support.kaggle_server import drop, lose, status
from tests.support.remote_runs import KIT, REF, labelled, run


@pytest.mark.parametrize("method", ["CreateDataset", "CreateDatasetVersion", "SaveKernel"])
@pytest.mark.parametrize("fault", [lose, drop(after=3)])
def test_a_lost_answer_is_looked_up_and_nothing_is_done_twice(hosted, sent, method, fault):
    if method == "CreateDatasetVersion":
        run(sent)
        sent = labelled(sent, "second")
    hosted.fault(method, fault)
    ran = run(sent)
    assert hosted.asked(method) == 1
    assert ran.notebook.version == hosted.notebooks[REF].version
    assert ran.dataset.version == hosted.datasets[KIT].version
    assert "the answer was lost" in hosted.said()


@pytest.mark.parametrize("method", ["CreateDataset", "SaveKernel"])
def test_a_request_that_never_arrived_is_not_repeated_blindly(hosted, sent, method):
    hosted.fault(method, status(502, "Bad gateway"))
    with refused("unknown whether Kaggle received the request. Run the same command again in some minutes"):
        run(sent)
    assert hosted.asked(method) == 1
    assert run(sent).notebook.version == 1


def test_names_are_what_kaggle_takes():
    assert name_of("medfold", "Some_Competition", "a+b").startswith("medfold-some-competition-a-b-")
    long = name_of("medfold", "rsna-intracranial-hemorrhage-detection", "baseline-training.epochs=3")
    assert len(long) <= 50
    assert long != name_of("medfold", "rsna-intracranial-hemorrhage-detection", "baseline-training.epochs=4")
    assert name_of("medfold", "a_b") != name_of("medfold", "a-b") != name_of("medfold", "a.b")
    assert name_of("medfold", "a-b") == "medfold-a-b"
