"""`make demo`: the whole pipeline on synthetic radiographs."""

import time

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.recheck import recheck
from medfold.commands.report import report
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import Project, image_settings
from medfold.terminal.console import format_duration, say


def demo(project: Project) -> None:
    """Runs download, folds, training of all folds, submission, report and recheck, one after the other."""
    say("medfold", project.competition.title)
    start = time.monotonic()
    download(project)
    make_folds(project, image_settings=image_settings(project, "baseline"))
    train(project)
    submit(project)
    report(project, ["baseline"])
    recheck(project)
    say("demo", f"done in {format_duration(time.monotonic() - start)}")
