"""`make demo`: the whole pipeline on synthetic radiographs."""

import time

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.recheck import recheck
from medfold.commands.report import report
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import Competition, preparation_settings
from medfold.terminal.console import format_duration, say


def demo(competition: Competition) -> None:
    """Runs download, folds, training of all folds, submission, report and recheck, one after the other."""
    say("medfold", competition.facts.title)
    began = time.monotonic()
    download(competition)
    make_folds(competition, preparation=preparation_settings(competition, "baseline"))
    train(competition, jobs=None, show_score=False)  # `submit` shows it
    submit(competition)
    report(competition, ["baseline"])
    recheck(competition)
    say("demo", f"done in {format_duration(time.monotonic() - began)}")
