"""Data sets and notebooks at Kaggle, by the real client: what goes wrong is one line, and nothing is done twice."""

import json
import re
from dataclasses import replace

import pytest

from medfold.errors import UserError
from medfold.kaggle import datasets, remote_run
from medfold.kaggle.datasets import Machines, name_of
from medfold.kaggle.remote_run import RemoteRun
from medfold.kaggle.session import KaggleSession
from tests.support.kaggle_machines import Ended, HostedNotebook
from tests.support.kaggle_server import HostedCompetition, HostedDataset, drop, instead, lose, status

NAME = "medfold-histology-baseline"
REF = f"alice/{NAME}"
KIT = f"{REF}-kit"


@pytest.fixture
def hosted(kaggle):
    kaggle.competitions["histology"] = HostedCompetition()
    kaggle.runner = lambda pushed: Ended(
        {"submission.csv": b"id,label\n", "other.txt": b"x"}, "three lines\nof a\nlog\n"
    )
    return kaggle


@pytest.fixture
def sent(tmp_path):
    """What is to be done: a folder with a label, and a notebook that names its mark."""
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "weights.h5").write_bytes(b"weights" * 1000)
    return labelled(RemoteRun(NAME, f"{NAME}-kit", folder / "kit.json", tmp_path / "submission.ipynb", [], "histology"))


def labelled(sent, mark="first", package="1.0"):
    sent.label.write_text(json.dumps({"mark": mark, "package": package}))
    cell = {"cell_type": "markdown", "metadata": {}, "source": ["kit ", mark]}
    sent.notebook.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return sent


def run(sent, **more):
    return remote_run.run(Machines(KaggleSession.connect()), sent, 3600, sent.notebook.with_name("log.txt"), **more)


def refused(match):
    return pytest.raises(UserError, match=match)


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
    assert ran.facts == {
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


@pytest.mark.parametrize("fault", [None, instead(), status(403)])
def test_gpu_hours_are_told_where_kaggle_tells_them(hosted, sent, fault):
    hosted.fault("GetAcceleratorQuotaStatistics", fault)
    run(sent)
    assert ("12.5 of 30 GPU hours are left this week" in hosted.said()) == (fault is None)


def test_other_files_make_a_new_version_with_nothing_of_the_old(hosted, sent):
    run(sent)
    (sent.label.parent / "weights.h5").unlink()
    (sent.label.parent / "other.h5").write_bytes(b"w")
    ran = run(labelled(sent, "second"))
    assert (ran.dataset.version, ran.notebook.version) == (2, 2)
    assert {"kit.json", "other.h5"} == {name for name in hosted.datasets[KIT].files if "version" not in name}


def test_anew_runs_it_again_but_sends_nothing(hosted, sent):
    run(sent)
    assert run(sent, anew=True).notebook.version == 2
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
    with refused("it is not known whether Kaggle took it. Run it again in some minutes"):
        run(sent)
    assert hosted.asked(method) == 1
    assert run(sent).notebook.version == 1


@pytest.mark.parametrize(
    ("where", "fault", "message"),
    [
        (
            "CreateDataset",
            instead(status="error", error="The title is taken"),
            "refuses the data set: The title is tak",
        ),
        ("CreateDataset", instead(status="error"), "refuses the data set: no reason given"),
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
            "cannot attach the competition histology. Have you joined it. .*/competitions/histology/rules",
        ),
        ("SaveKernel", instead(versionNumber=1, invalidModelSources=["m"]), "cannot attach the model m"),
        ("SaveKernel", instead(versionNumber=1, invalidKernelSources=["k"]), "cannot attach the notebook k"),
        ("SaveKernel", instead(ref="x"), "Kaggle tells no version of the notebook"),
        ("GetKernelSessionStatus", status(404, "Not found"), "Kaggle has no such thing: Not found"),
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


def test_a_public_data_set_is_not_written_to(hosted, sent):
    hosted.datasets[KIT] = HostedDataset(private=False)
    with refused(f"{KIT}: this data set is public, and would publish your folds. Make it private"):
        run(sent)
    assert hosted.asked("upload") == hosted.asked("CreateDatasetVersion") == 0


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
    with refused("the notebook failed: it ended as 'cancel acknowledged', and Kaggle gives no reason"):
        run(sent)


def test_a_lost_network_does_not_end_the_waiting(hosted, sent):
    hosted.states = ["QUEUED"] * 3
    hosted.fault("GetKernelSessionStatus", *[status(500)] * 20, *[drop(after=0)] * 6)
    run(sent)
    said = hosted.said()
    assert said.count("no word of the notebook") == 1
    assert "complete" in said


def test_a_token_that_ends_while_waiting_is_renewed(hosted, sent):
    hosted.states = ["RUNNING"] * 4
    hosted.fault("GetKernelSessionStatus", None, status(401, "Unauthenticated"), None, status(401, "Unauthenticated"))
    before = hosted.asked("IntrospectToken")
    assert run(sent).notebook.version == 1
    assert hosted.asked("IntrospectToken") == before + 3  # to begin with, and twice anew


def test_a_token_that_is_taken_away_is_one_line(hosted, sent):
    hosted.fault("GetKernelSessionStatus", None, *[status(401, "Unauthenticated")] * 2)
    hosted.states = ["RUNNING"] * 4
    with refused("Kaggle does not accept the token in KAGGLE_API_TOKEN. Create a new token"):
        run(sent)


def test_a_session_without_end_is_left_alone(hosted, sent, monkeypatch):
    hosted.states = ["RUNNING"] * 1000
    clock = iter(range(0, 10**6, 600))
    monkeypatch.setattr(datasets.time, "monotonic", lambda: next(clock))
    with refused("the notebook has not ended in .* min. It goes on there; the same command takes it up again"):
        run(sent)


def test_a_data_set_that_cannot_be_unpacked_is_sent_anew(hosted, sent):
    hosted.fault("GetDatasetStatus", instead(status="BLOBS_RECEIVED"), instead(status="FAILED"))
    with refused(r"Kaggle could not unpack the data set \(failed\). Run it again: it is sent anew"):
        run(sent)
    hosted.fault("GetDatasetStatus", instead(status="FAILED"))
    assert run(sent).dataset.version == 2


def test_a_data_set_that_is_never_ready(hosted, sent):
    hosted.datasets[KIT] = HostedDataset(private=True, states=["BLOBS_RECEIVED"] * 1000)
    with refused(r"the data set is not ready after 30.* min \(blobs_received\). Run it again later"):
        run(sent)


def test_a_file_is_fetched_by_fresh_addresses(hosted, sent, tmp_path):
    content = b"id,label\n" + b"a,0.5\n" * 40_000
    hosted.runner = lambda pushed: Ended({"submission.csv": content, "zeta.txt": b"x"})
    ran = run(sent)
    hosted.fault("storage", drop(after=150_000), None, status(403))
    Machines(KaggleSession.connect()).fetch(ran.notebook, "submission.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == content


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ({"other.txt": b"x"}, "the notebook wrote no submission.csv. It left other.txt"),
        ({}, "the notebook wrote no submission.csv. It left nothing"),
        ({"submission.csv": b"<html>403</html>"}, "an error page instead of submission.csv. Run it again"),
        ({"submission.csv": b'{"code": 404}'}, "an error page instead of submission.csv. Run it again"),
    ],
)
def test_what_is_no_output_is_left_there(hosted, sent, tmp_path, left, message):
    hosted.runner = lambda pushed: Ended(left)
    ran = run(sent)
    with refused(message):
        Machines(KaggleSession.connect()).fetch(ran.notebook, "submission.csv", tmp_path / "out.csv")
    assert not list(tmp_path.glob("out.csv*"))


def test_what_the_kit_put_there_is_listed_and_removed(hosted, sent):
    run(sent)
    run(replace(sent, name="medfold-other-run", dataset="medfold-other-run-kit"))
    hosted.datasets["alice/mine"] = HostedDataset()
    hosted.datasets["bob/medfold-his"] = HostedDataset()
    there = Machines(KaggleSession.connect())
    listed = list(there.listed("medfold-"))
    assert listed == [
        ("notebook", REF),
        ("notebook", "alice/medfold-other-run"),
        ("data set", KIT),
        ("data set", "alice/medfold-other-run-kit"),
    ]
    for kind, ref in listed:
        there.remove(kind, ref)
    assert set(hosted.datasets) == {"alice/mine", "bob/medfold-his"}
    assert not hosted.notebooks


@pytest.mark.parametrize(
    ("kind", "method", "answer"), [("notebook", "DeleteKernel", "errorMessage"), ("data set", "DeleteDataset", "error")]
)
def test_what_cannot_be_removed_says_so(hosted, sent, kind, method, answer):
    run(sent)
    hosted.fault(method, instead(**{answer: "In use"}))
    ref = REF if kind == "notebook" else KIT
    with refused(f"{ref}: Kaggle does not delete the {kind}: In use"):
        Machines(KaggleSession.connect()).remove(kind, ref)


def test_another_package_does_not_run_again_what_runs(hosted, sent):
    run(sent)
    ran = run(labelled(sent, package="1.1"))
    assert (ran.dataset.version, ran.notebook.version) == (1, 1)
    ran = run(labelled(sent, package="1.1"), anew=True)
    assert (ran.dataset.version, ran.notebook.version) == (2, 2)


def test_a_newer_version_of_somebody_else_is_not_taken_for_ours(hosted, sent):
    ran = run(sent)
    there = Machines(KaggleSession.connect())
    ours = hosted.notebooks[REF]
    newer = {**ours.pushed, "text": "saved in the browser"}
    hosted.notebooks[REF] = HostedNotebook(newer, 2, [], Ended({"submission.csv": b"other"}, state="ERROR"), ours)
    assert there.session(ran.notebook).state == "complete"
    there.fetch(ran.notebook, "submission.csv", sent.notebook.with_name("out.csv"))
    assert sent.notebook.with_name("out.csv").read_bytes() == b"id,label\n"


def test_a_version_that_is_not_shown_yet_is_waited_for(hosted, sent):
    run(sent)
    hosted.datasets[KIT].lag = 3
    run(labelled(sent, "second"))
    assert hosted.asked("ListDatasetFiles") >= 4
    hosted.fault("GetDatasetStatus", None, status(403), status(404))
    run(labelled(sent, "third"))
    assert hosted.datasets[KIT].version == 3


def test_a_cancelled_or_quickly_saved_notebook_is_pushed_again(hosted, sent):
    run(sent)
    hosted.notebooks[REF].ended.state = "NEW_SCRIPT"
    assert run(sent).notebook.version == 2


@pytest.mark.parametrize("answer", [instead(status="SOMETHING_NEW"), status(429), status(408)])
def test_an_answer_without_sense_does_not_end_the_waiting(hosted, sent, answer):
    hosted.states = ["RUNNING"]
    hosted.fault("GetKernelSessionStatus", *[answer] * 7)
    assert run(sent).notebook.version == 1


def test_names_are_what_kaggle_takes():
    assert name_of("medfold", "Some_Competition", "a+b").startswith("medfold-some-competition-a-b-")
    long = name_of("medfold", "rsna-intracranial-hemorrhage-detection", "baseline-training.epochs=3")
    assert len(long) <= 50
    assert long != name_of("medfold", "rsna-intracranial-hemorrhage-detection", "baseline-training.epochs=4")
    assert name_of("medfold", "a_b") != name_of("medfold", "a-b") != name_of("medfold", "a.b")
    assert name_of("medfold", "a-b") == "medfold-a-b"
