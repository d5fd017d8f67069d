"""Remote runs by the real client: errors of one line, and nothing uploaded or run twice."""

import json
import re

import pytest

from tests.support.helpers import refused
from tests.support.kaggle_machines import Ended
from tests.support.kaggle_server import instead, status
from tests.support.notebook_jobs import DATASET, REF, labelled, run


def test_remote_run_uploads_a_private_data_set(hosted, job):
    run(job)
    dataset = hosted.datasets[DATASET]
    assert dataset.private is True
    assert dataset.files["weights.h5"] == b"weights" * 1000
    assert json.loads(dataset.files["kit.json"])["content_id"] == "first"


def test_file_that_the_manifest_does_not_name_is_not_uploaded(hosted, job):
    (job.folder / "notes.md").write_text("KGAT_0")
    run(job)
    assert {"kit.json", "weights.h5"} == {name for name in hosted.datasets[DATASET].files if "version" not in name}


def test_remote_run_pushes_a_private_notebook_with_a_gpu_and_its_data(hosted, job):
    run(job)
    pushed = hosted.notebooks[REF].pushed
    assert {key: pushed.get(key, False) for key in ("isPrivate", "enableGpu", "enableInternet", "machineShape")} == {
        "isPrivate": True,
        "enableGpu": True,
        "enableInternet": False,
        "machineShape": "NvidiaTeslaT4",
    }
    assert pushed["datasetDataSources"] == [DATASET]
    assert pushed["competitionDataSources"] == ["histology"]
    assert "first" in pushed["text"]


def test_remote_run_reports_states_versions_and_log(hosted, job):
    hosted.states = ["QUEUED", "RUNNING", "RUNNING"]
    ran = run(job)
    assert ran.versions == {
        "dataset": {"ref": DATASET, "version": 1, "link": f"https://www.kaggle.com/datasets/{DATASET}"},
        "notebook": {"ref": REF, "version": 1, "link": f"https://www.kaggle.com/code/{REF}"},
    }
    said = hosted.said()
    assert "uploading 7.07 kB as alice/medfold-histology-baseline-kit, private" in said
    assert re.findall(r"^kaggle     (\w+), ", said, re.MULTILINE) == ["queued", "running", "complete"]
    assert job.notebook.with_name("log.txt").read_text() == "three lines\nof a\nlog\n"


def test_finished_run_is_neither_uploaded_nor_run_again(hosted, job):
    run(job)
    assert run(job).notebook_version.version == 1
    assert hosted.asked("SaveKernel") == 1
    assert hosted.asked("upload") == 3
    assert "pushed before, version 1" in hosted.said()


def test_rerun_runs_the_notebook_without_upload(hosted, job):
    run(job)
    assert run(job, rerun=True).notebook_version.version == 2
    assert hosted.asked("CreateDatasetVersion") == 0


@pytest.mark.parametrize(
    "method", ["StartBlobUpload", "upload", "CreateDataset", "SaveKernel", "GetKernelSessionStatus"]
)
def test_interrupted_run_resumes_at_any_request(hosted, job, method):
    hosted.fault(method, status(400, "no"))
    with refused(": Kaggle answers 400: no. Open its page|: upload failed: the storage answers 400 "):
        run(job)
    before = hosted.asked("upload")
    run(job)
    assert (hosted.datasets[DATASET].version, hosted.notebooks[REF].version) == (1, 1)
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
def test_refused_request_raises_one_line_with_the_reason(hosted, job, where, fault, message):
    hosted.fault(where, fault)
    if message is None:  # a second request succeeds
        run(job)
        return
    with refused(message) as caught:
        run(job)
    assert "\n" not in str(caught.value)
    assert run(job).notebook_version.version >= 1  # the next run succeeds


def test_failed_notebook_raises_with_reason_and_log(hosted, job):
    log = "".join(f"line {number}\n" for number in range(40))
    hosted.runner = lambda pushed: Ended(log=log, state="ERROR", message="Notebook Timeout Exceeded")
    with refused(f"code/{REF}: .*failed: Notebook Timeout Exceeded.*log.txt"):
        run(job)
    said = hosted.said()
    assert "line 39" in said
    assert "line 27" not in said
    assert job.notebook.with_name("log.txt").read_text() == log
    hosted.runner = lambda pushed: Ended()
    assert run(job).notebook_version.version == 2


def test_cancelled_session_is_reported(hosted, job):
    hosted.runner = lambda pushed: Ended(state="CANCEL_ACKNOWLEDGED")
    with refused("the notebook failed: it ended as 'cancel acknowledged', reason unknown"):
        run(job)


def test_other_package_version_alone_causes_no_rerun(hosted, job):
    run(job)
    ran = run(labelled(job, package="1.1"))
    assert (ran.dataset_version.version, ran.notebook_version.version) == (1, 1)
    ran = run(labelled(job, package="1.1"), rerun=True)
    assert (ran.dataset_version.version, ran.notebook_version.version) == (2, 2)


def test_quick_saved_notebook_is_pushed_again(hosted, job):
    run(job)
    hosted.notebooks[REF].ended.state = "NEW_SCRIPT"
    assert run(job).notebook_version.version == 2
