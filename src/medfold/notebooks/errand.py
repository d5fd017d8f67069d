"""An errand: something that Kaggle's machines do for us once, by a private data set and a notebook that reads it.

What stands at Kaggle is looked at before anything is sent, so a command that was killed goes on where it was: nothing
is uploaded or run twice.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfold import files
from medfold.errors import UserError
from medfold.kaggle_api.machines import Attached, Machines, Placed
from medfold.terminal import say, size

TOLD = 12  # lines of a log, for a notebook that failed


@dataclass(frozen=True)
class Errand:
    """What Kaggle's machines are to do.

    Args:
        name: of data set and notebook.
        files: the folder whose files the data set holds.
        notebook: the file that runs.
        mark: of their contents; stands in the notebook's text.
        datasets: what else is attached: owner/name of each.
        competition: the slug of that whose data is attached. Defaults to none.
        internet: whether the notebook may use it. Defaults to not.
    """

    name: str
    files: Path
    notebook: Path
    mark: str
    datasets: list[str]
    competition: str | None = None
    internet: bool = False


@dataclass(frozen=True)
class Ran:
    """An errand that was done.

    Args:
        dataset, notebook: the versions that did it.
    """

    dataset: Placed
    notebook: Placed

    @property
    def facts(self) -> dict[str, Any]:
        """For the record: names, versions and links."""
        return {"dataset": vars(self.dataset), "notebook": vars(self.notebook)}


class FailedNotebookError(UserError):
    """A notebook that ran and failed; it may have left something all the same."""

    @property
    def ref(self) -> str:
        """owner/name of the notebook."""
        return "/".join(str(self.where).split("/")[-2:])


def mark_of(label: Path) -> str:
    """The mark of a folder, by the file in it that names all others and their hashes."""
    return files.sha256(label)[:12]


def run(machines: Machines, errand: Errand, longest: float, log: Path, anew: bool = False) -> Ran:
    """Places the files, has the notebook run and waits for it.

    Args:
        longest: seconds to wait.
        log: the file for what the notebook wrote.
        anew: has it run again even if it ran before.

    Raises:
        UserError: a refusal, with Kaggle's reason.
        FailedNotebookError: a notebook that failed; the end of its log was shown.
    """
    dataset = _placed(machines, errand)
    notebook = _begun(machines, errand, dataset, anew)
    session = machines.follow(notebook.ref, longest)
    written = machines.output(notebook.ref).log
    files.write_text(written, log)
    if session.state != "complete":
        for line in written.strip().splitlines()[-TOLD:]:
            say("", line)
        what = session.message or f"it ended as '{session.state.replace('_', ' ')}', and Kaggle gives no reason"
        raise FailedNotebookError(f"the notebook failed: {what}", notebook.link, f"Its log: {log}")
    return Ran(dataset, notebook)


def _placed(machines: Machines, errand: Errand) -> Placed:
    there = machines.dataset(errand.name)
    if there and machines.holds(errand.name, errand.mark):
        say("data set", f"unchanged, version {there.version}: {there.link}")
        return there
    total = sum(path.stat().st_size for path in errand.files.iterdir())
    say("data set", f"uploading {size(total)} as {machines.user}/{errand.name}, private")
    placed = machines.upload(errand.name, errand.files, errand.mark)
    say("data set", f"version {placed.version}: {placed.link}")
    return placed


def _begun(machines: Machines, errand: Errand, dataset: Placed, anew: bool) -> Placed:
    found = machines.notebook(errand.name)
    if found and errand.mark in found[1] and not anew:
        state = machines.session(found[0].ref)
        if not state.ended or state.state == "complete":
            say("notebook", f"pushed before, version {found[0].version}: {found[0].link}")
            return found[0]
    if hours := machines.gpu_hours():
        say("kaggle", f"{hours[0]:.1f} of {hours[1]:.0f} GPU hours are left this week")
    attached = Attached([dataset.ref, *errand.datasets], errand.competition)
    pushed = machines.push(errand.name, errand.notebook, attached, errand.internet)
    say("notebook", f"version {pushed.version}: {pushed.link}")
    return pushed
