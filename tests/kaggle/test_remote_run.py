"""Remote runs by the real client: what goes wrong is one line, and nothing is done twice."""

import json
import re

import pytest

from tests.support.helpers import refused
from tests.support.kaggle_machines import Ended
from tests.support.kaggle_server import instead, status
from tests.support.remote_runs import KIT, REF, labelled, run


def test_files_are_placed_and_the_notebook_runs(hosted, sent):
    hosted.states = ["QUEUED", "RUNNING", "RUNNING"]
    ran = run(sent)
    dataset, pushed = hosted.datasets[KIT], hosted.notebooks[REF].pushed
    assert dataset.private
    assert dataset.files["weights.h5"] == b"weights" * 1000
    assert json.loads(dataset.files["kit.json"])["mark"] == "first"
    assert pushed["isPrivate"]
    assert pushed["enableGpu"]
    assert not pushed["enableInternet"]
    assert pushed["machineShape"] == "NvidiaTeslaT4"
    assert pushed["datasetDataSources"] == [KIT]
    assert pushed["competitionDataSources"] == ["histology"]
    assert "first" in pushed["text"]
    assert ran.versions == {
        "dataset": {"ref": KIT, "version": 1, "link": f"https://www.kaggle.com/datasets/{KIT}"},
        "notebook": {"ref": REF, "version": 1, "link": f"https://www.kaggle.com/code/{REF}"},
    }
    said = hosted.said()
    assert "uploading 7.04 kB as alice/medfold-histology-baseline-kit, private" in said
    assert re.findall(r"^kaggle     (\w+), ", said, re.MULTILINE) == ["queued", "running", "complete"]
    assert sent.notebook.with_name("log.txt").read_text() == "three lines\nof a\nlog\n"


def test_what_is_there_is_neither_sent_nor_run_again(hosted, sent):
    run(sent)
    assert run(sent).notebook.version == 1
    assert hosted.asked("SaveKernel") == 1
    assert hosted.asked("upload") == 3
    assert "pushed before, version 1" in hosted.said()


def test_anew_runs_it_again_but_sends_nothing(hosted, sent):
    run(sent)
    assert run(sent, rerun=True).notebook.version == 2
    assert hosted.asked("CreateDatasetVersion") == 0


@pytest.mark.parametrize(
    "method", ["StartBlobUpload", "upload", "CreateDataset", "SaveKernel", "GetKernelSessionStatus"]
)
def test_a_command_that_ended_anywhere_goes_on(hosted, sent, method):
    hosted.fault(method, status(400, "no"))
    with refused("no|400"):
        run(sent)
    before = hosted.asked("upload")
    run(sent)
    assert (hosted.datasets[KIT].version, hosted.notebooks[REF].version) == (1, 1)
    if method in ("SaveKernel", "GetKernelSessionStatus"):
        assert hosted.asked("upload") == before


@pytest.mark.parametrize(
    ("where", "fault", "message"),
    [
        (
            "CreateDataset",
            instead(status="error", error="The title is taken"),
            "refuses the data set: The title is tak",
        ),
        ("CreateDataset", instead(status="error"), "refuses the data set: reason unknown"),
        ("CreateDataset", status(503, "Too busy"), "Kaggle answers 503: Too busy. Try again later"),
        ("upload", status(403), "upload failed: the storage answers 403"),
        ("SaveKernel", instead(error="Maximum weekly GPU quota of 30.00 hours reached."), "quota.*kaggle.com/settings"),
        (
            "SaveKernel",
            instead(error="Maximum batch GPU session count of 2 reached."),
            "Wait for other sessions to end",
        ),
        ("SaveKernel", status(403, "Phone verification is required"), "Verify your phone number: .*/settings"),
        ("SaveKernel", status(400, "Maximum batch GPU session count of 2 reached."), "Wait for other sessions to end"),
        ("SaveKernel", status(429, "Too many requests"), "Kaggle answers 429: Too many requests. Try again later"),
        (
            "SaveKernel",
            instead(versionNumber=1, invalidDatasetSources=["alice/x"]),
            "cannot attach the data set alice/x",
        ),
        (
            "SaveKernel",
            instead(versionNumber=1, invalidCompetitionSources=["histology"]),
            "cannot attach the competition histology. Join it at .*/competitions/histology/rules",
        ),
        ("SaveKernel", instead(versionNumber=1, invalidModelSources=["m"]), "cannot attach the model m"),
        ("SaveKernel", instead(versionNumber=1, invalidKernelSources=["k"]), "cannot attach the notebook k"),
        ("SaveKernel", instead(ref="x"), "Kaggle's answer has no version of the notebook"),
        ("GetKernelSessionStatus", status(404, "Not found"), "not found on Kaggle: Not found"),
        ("ListKernelSessionOutput", status(500, "Oops"), None),
    ],
)
def test_a_refusal_is_one_line_with_its_reason(hosted, sent, where, fault, message):
    hosted.fault(where, fault)
    if message is None:  # asking again mends it
        run(sent)
        return
    with refused(message) as caught:
        run(sent)
    assert "\n" not in str(caught.value)
    assert run(sent).notebook.version >= 1  # and nothing stands in the way of the next one


def test_a_notebook_that_fails_tells_why_and_where_its_log_is(hosted, sent):
    log = "".join(f"line {number}\n" for number in range(40))
    hosted.runner = lambda pushed: Ended(log=log, state="ERROR", message="Notebook Timeout Exceeded")
    with refused(f"code/{REF}: the notebook failed: Notebook Timeout Exceeded. Its log: .*log.txt"):
        run(sent)
    said = hosted.said()
    assert "line 39" in said
    assert "line 27" not in said
    assert sent.notebook.with_name("log.txt").read_text() == log
    hosted.runner = lambda pushed: Ended()
    assert run(sent).notebook.version == 2


def test_a_session_that_was_cancelled(hosted, sent):
    hosted.runner = lambda pushed: Ended(state="CANCEL_ACKNOWLEDGED")
    with refused("the notebook failed: it ended as 'cancel acknowledged', reason unknown"):
        run(sent)


def test_another_package_does_not_run_again_what_runs(hosted, sent):
    run(sent)
    ran = run(labelled(sent, package="1.1"))
    assert (ran.dataset.version, ran.notebook.version) == (1, 1)
    ran = run(labelled(sent, package="1.1"), rerun=True)
    assert (ran.dataset.version, ran.notebook.version) == (2, 2)


def test_a_cancelled_or_quickly_saved_notebook_is_pushed_again(hosted, sent):
    run(sent)
    hosted.notebooks[REF].ended.state = "NEW_SCRIPT"
    assert run(sent).notebook.version == 2
