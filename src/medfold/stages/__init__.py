"""The stages: which one is stale, in what order they run, what they say. The only room that knows them all.

A stage is imported when it is first asked for: what draws pictures or fits models takes longer to load than most take
to run.
"""

import importlib
import time
from typing import Any

from medfold.stages.project import Project
from medfold.terminal import minutes, say, warn

_MODULES = {
    "clean_kaggle": "tidying",
    "compare": "comparing",
    "describe": "describing",
    "data": "removing",
    "download": "raw_data",
    "ensemble": "ensembling",
    "images_of": "preparing",
    "list_runs": "comparing",
    "make_folds": "folding",
    "notebook": "packing",
    "predict": "predicting",
    "prepare": "preparing",
    "recheck": "rechecking",
    "remove_runs": "removing",
    "report": "reporting",
    "scores": "standings",
    "submit": "submitting",
    "train": "training",
    "train_on_kaggle": "elsewhere",
    "train_there": "elsewhere",
}
__all__ = ["Project", "demo", "doctor", *_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'medfold.stages' has no attribute '{name}'")
    return getattr(importlib.import_module(f"medfold.stages.{_MODULES[name]}"), name)


def doctor(project: Project) -> bool:
    """Shows the health table; True if nothing is at fault."""
    from medfold.doctor import examine

    findings = []
    for finding in examine(project.root, project.competition):
        findings.append(finding)
        (say if finding.state == "ok" else warn)(finding.topic, f"{finding.state:<7}{finding.text}")
    return all(finding.state != "fault" for finding in findings)


def demo(project: Project) -> None:
    """Download, folds, training of all folds, submission, report and recheck, one after the other."""
    from medfold import stages

    say("medfold", project.competition.title)
    began = time.monotonic()
    stages.download(project)
    stages.make_folds(project, choices=stages.images_of(project, "baseline"))
    stages.train(project)
    stages.submit(project)
    stages.report(project, ["baseline"])
    stages.recheck(project)
    say("demo", f"done in {minutes(time.monotonic() - began)}")
