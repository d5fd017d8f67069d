"""The stages: which one is stale, in what order they run, what they say. The only room that knows them all."""

import time

from medfold.stages.comparing import compare, list_runs
from medfold.stages.data import download
from medfold.stages.describing import describe
from medfold.stages.ensembling import ensemble
from medfold.stages.folding import make_folds
from medfold.stages.predicting import predict
from medfold.stages.preparing import images_of, prepare
from medfold.stages.project import Project
from medfold.stages.reporting import report
from medfold.stages.standings import scores
from medfold.stages.submitting import submit
from medfold.stages.training import train
from medfold.terminal import minutes, say, warn

__all__ = [
    "Project",
    "compare",
    "demo",
    "describe",
    "doctor",
    "download",
    "ensemble",
    "images_of",
    "list_runs",
    "make_folds",
    "predict",
    "prepare",
    "report",
    "scores",
    "submit",
    "train",
]


def doctor(project: Project) -> bool:
    """Shows the health table; True if nothing is at fault."""
    from medfold.doctor import examine

    findings = []
    for finding in examine(project.root, project.competition):
        findings.append(finding)
        (say if finding.state == "ok" else warn)(finding.topic, f"{finding.state:<7}{finding.text}")
    return all(finding.state != "fault" for finding in findings)


def demo(project: Project) -> None:
    """Download, folds, training of all folds and submission, one after the other."""
    say("medfold", project.competition.title)
    began = time.monotonic()
    download(project)
    make_folds(project, choices=images_of(project, "baseline"))
    train(project)
    submit(project)
    report(project, ["baseline"])
    say("demo", f"done in {minutes(time.monotonic() - began)}")
