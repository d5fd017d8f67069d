"""An errand: something that Kaggle's machines do for us once, by a private data set and a notebook that reads it.

What stands at Kaggle is looked at before anything is sent, so a command that was killed goes on where it was: nothing
is uploaded or run twice.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfold import files
from medfold.console import say, size
from medfold.errors import UserError
from medfold.kaggle.datasets import Attached, Machines, Version

TOLD = 12  # lines of a log, for a notebook that failed
UNDER_WAY = ("queued", "running", "complete")


@dataclass(frozen=True)
class RemoteRun:
    """What Kaggle's machines are to do.

    Args:
        name: of the notebook.
        dataset: name of the data set.
        label: the file, in the folder whose files the data set holds, that names all others and their hashes, and the
            `mark` of what is to be done: that stands in the notebook's text.
        notebook: the file that runs.
        others: further data sets that are attached: owner/name of each.
        competition: the slug of that whose data is attached. Defaults to none.
        internet: whether the notebook may use it. Defaults to not.
    """

    name: str
    dataset: str
    label: Path
    notebook: Path
    others: list[str]
    competition: str | None = None
    internet: bool = False

    @property
    def folder(self) -> Path:
        """The folder whose files the data set holds."""
        return self.label.parent

    @property
    def mark(self) -> str:
        """Of what is to be done: the same whatever version of the package does it."""
        return files.read_json(self.label)["mark"]


@dataclass(frozen=True)
class Ran:
    """An errand that was done.

    Args:
        dataset, notebook: the versions that did it; no data set if it was removed since.
    """

    dataset: Version | None
    notebook: Version

    @property
    def facts(self) -> dict[str, Any]:
        """For the record: names, versions and links."""
        return {"dataset": vars(self.dataset) if self.dataset else None, "notebook": vars(self.notebook)}


class FailedNotebookError(UserError):
    """A notebook that ran and failed; it may have left something all the same.

    Args:
        notebook: the version.
    """

    def __init__(self, what: str, where: object, fix: str | None, notebook: Version):
        super().__init__(what, where, fix)
        self.notebook = notebook


def contents_of(label: Path) -> str:
    """The first digits of the hash of a file that names all others of its folder and their hashes."""
    return files.sha256(label)[:12]


def run(machines: Machines, errand: RemoteRun, longest: float, log: Path, anew: bool = False) -> Ran:
    """Has the notebook run, unless it does or did, and waits for it.

    Args:
        longest: seconds to wait.
        log: the file for what the notebook wrote.
        anew: has it run again even if it ran before.

    Raises:
        UserError: a refusal, with Kaggle's reason.
        FailedNotebookError: a notebook that failed; the end of its log was shown.
    """
    ran = (None if anew else _begun_before(machines, errand)) or _begun(machines, errand)
    session = machines.follow(ran.notebook, longest)
    written = machines.output(ran.notebook).log
    files.write_text(written, log)
    if session.state != "complete":
        for line in written.strip().splitlines()[-TOLD:]:
            say("", line)
        what = session.message or f"it ended as '{session.state.replace('_', ' ')}', and Kaggle gives no reason"
        raise FailedNotebookError(f"the notebook failed: {what}", ran.notebook.link, f"Its log: {log}", ran.notebook)
    return ran


def _begun_before(machines: Machines, errand: RemoteRun) -> Ran | None:
    found = machines.notebook(errand.name)
    if found is None or not found[0].version or errand.mark not in found[1]:
        return None
    session = machines.session(found[0])
    if session.state not in UNDER_WAY:
        return None
    say("notebook", f"pushed before, version {found[0].version}: {found[0].link}")
    return Ran(machines.dataset(errand.dataset), found[0])


def _begun(machines: Machines, errand: RemoteRun) -> Ran:
    dataset = _placed(machines, errand)
    if hours := machines.gpu_hours():
        say("kaggle", f"{hours[0]:.1f} of {hours[1]:.0f} GPU hours are left this week")
    attached = Attached([dataset.ref, *errand.others], errand.competition)
    pushed = machines.push(errand.name, errand.notebook, attached, errand.internet)
    say("notebook", f"version {pushed.version}: {pushed.link}")
    return Ran(dataset, pushed)


def _placed(machines: Machines, errand: RemoteRun) -> Version:
    folder, contents = errand.label.parent, contents_of(errand.label)
    there = machines.dataset(errand.dataset)
    if there and machines.holds(errand.dataset, contents):
        say("data set", f"unchanged, version {there.version}: {there.link}")
        return there
    total = sum(path.stat().st_size for path in folder.iterdir())
    say("data set", f"uploading {size(total)} as {machines.user}/{errand.dataset}, private")
    placed = machines.upload(errand.dataset, folder, contents)
    say("data set", f"version {placed.version}: {placed.link}")
    return placed
