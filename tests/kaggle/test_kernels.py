"""Notebooks on Kaggle: pushed, followed until they end, and their output fetched."""

import re
import time

import pytest

from medfold.kaggle import KaggleSession, kernels
from medfold.kaggle.kernels import KaggleKernels
from medfold.system import http_download
from tests.support.helpers import refused
from tests.support.kaggle_machines import Ended, HostedNotebook
from tests.support.kaggle_server import drop, instead, status
from tests.support.notebook_jobs import REF, run


@pytest.mark.parametrize("fault", [None, instead(), status(403)])
def test_gpu_hours_left_are_shown_if_known(hosted, job, fault):
    hosted.fault("GetAcceleratorQuotaStatistics", fault)
    run(job)
    assert ("12.5 of 30 GPU hours are left this week" in hosted.said()) == (fault is None)


@pytest.mark.slow
def test_waiting_continues_after_a_lost_network(hosted, job):
    hosted.states = ["QUEUED"] * 3
    hosted.fault("GetKernelSessionStatus", *[status(500)] * 20, *[drop(after=0)] * 6)
    run(job)
    said = hosted.said()
    assert said.count("the state of the notebook is unknown") == 1
    assert "complete" in said


def test_token_that_expires_while_waiting_is_renewed(hosted, job):
    hosted.states = ["RUNNING"] * 4
    hosted.fault("GetKernelSessionStatus", None, status(401, "Unauthenticated"), None, status(401, "Unauthenticated"))
    before = hosted.asked("IntrospectToken")
    assert run(job).notebook_version.version == 1
    assert hosted.asked("IntrospectToken") == before + 3  # once at the start and twice for renewal


def test_revoked_token_raises_while_waiting(hosted, job):
    hosted.fault("GetKernelSessionStatus", None, *[status(401, "Unauthenticated")] * 2)
    hosted.states = ["RUNNING"] * 4
    with refused("Kaggle does not accept the token in KAGGLE_API_TOKEN. Create a new token"):
        run(job)


def test_endless_session_raises_and_is_not_stopped(hosted, job, monkeypatch):
    hosted.states = ["RUNNING"] * 1000
    clock = iter(range(0, 10**6, 600))
    monkeypatch.setattr(kernels.time, "monotonic", lambda: next(clock))
    with refused("has not ended in .* min.*continues on Kaggle.*same command again"):
        run(job)


def test_fetch_output_renews_expired_addresses(hosted, job, tmp_path):
    content = b"id,label\n" + b"a,0.5\n" * 40_000
    hosted.runner = lambda pushed: Ended({"submission.csv": content, "zeta.txt": b"x"})
    ran = run(job)
    hosted.fault("storage", drop(after=150_000), None, status(403))
    KaggleKernels(KaggleSession.connect()).fetch(ran.notebook_version, "submission.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == content


def test_push_does_not_wait_for_the_notebook(hosted, job, monkeypatch):
    """The notebook ends only after two requests for its state, so a push that waits would never return."""
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 5))

    def run_until_looked_at(pushed):
        while hosted.asked("GetKernelSessionStatus") < 2:
            time.sleep(0.01)
        return Ended(log="done")

    hosted.runner = run_until_looked_at
    run(job)
    assert hosted.asked("SaveKernel") == 1
    assert re.findall(r"^kaggle     (\w+), ", hosted.said(), re.MULTILINE) == ["running", "complete"]


def test_error_in_the_fake_machine_fails_the_notebook(hosted, job):
    def broken(pushed):
        raise RuntimeError("the kernel did not start")

    hosted.runner = broken
    with refused("the notebook failed: RuntimeError: the kernel did not start"):
        run(job)
    assert "Traceback" in job.notebook.with_name("log.txt").read_text()


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ({"other.txt": b"x"}, "the notebook wrote no submission.csv. It wrote other.txt: read its log"),
        ({}, "the notebook wrote no submission.csv. It wrote no file: read its log"),
        (
            {"submission.csv": b"<html>403</html>"},
            "an error page instead of submission.csv. Run the same command again",
        ),
        ({"submission.csv": b'{"code": 404}'}, "an error page instead of submission.csv. Run the same command again"),
    ],
)
def test_fetch_without_valid_output_raises_and_writes_nothing(hosted, job, tmp_path, left, message):
    hosted.runner = lambda pushed: Ended(left)
    ran = run(job)
    with refused(message):
        KaggleKernels(KaggleSession.connect()).fetch(ran.notebook_version, "submission.csv", tmp_path / "out.csv")
    assert not list(tmp_path.glob("out.csv*"))


def test_newer_version_pushed_elsewhere_is_ignored(hosted, job):
    ran = run(job)
    there = KaggleKernels(KaggleSession.connect())
    ours = hosted.notebooks[REF]
    newer = {**ours.pushed, "text": "saved in the browser"}
    hosted.notebooks[REF] = HostedNotebook(newer, 2, [], Ended({"submission.csv": b"other"}, state="ERROR"), ours)
    assert there.status(ran.notebook_version).state == "complete"
    there.fetch(ran.notebook_version, "submission.csv", job.notebook.with_name("out.csv"))
    assert job.notebook.with_name("out.csv").read_bytes() == b"id,label\n"


@pytest.mark.parametrize("answer", [instead(status="SOMETHING_NEW"), status(429), status(408)])
def test_waiting_continues_after_unknown_answers(hosted, job, answer):
    hosted.states = ["RUNNING"]
    hosted.fault("GetKernelSessionStatus", *[answer] * 7)
    assert run(job).notebook_version.version == 1
