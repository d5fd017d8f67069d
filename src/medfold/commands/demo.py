"""`make demo`: the whole pipeline on made-up radiographs."""

import time

from medfold.commands.prepare import images_of
from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.competition.project import Project
from medfold.console import minutes, say
from medfold.data.dataset import make_folds
from medfold.data.raw_data import download
from medfold.report.build import report
from medfold.training.run import train


def demo(project: Project) -> None:
    """Download, folds, training of all folds, submission, report and recheck, one after the other."""
    say("medfold", project.competition.title)
    began = time.monotonic()
    download(project)
    make_folds(project, choices=images_of(project, "baseline"))
    train(project)
    submit(project)
    report(project, ["baseline"])
    recheck(project)
    say("demo", f"done in {minutes(time.monotonic() - began)}")
