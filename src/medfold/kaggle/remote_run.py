"""A remote run on Kaggle, started at most once: a private data set, and a notebook that reads it.

The state on Kaggle is checked before anything is sent, so that a command that was killed resumes where it was, and
nothing is uploaded or run twice.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfold import files
from medfold.console import format_size, say
from medfold.errors import UserError
from medfold.kaggle.datasets import Datasets
from medfold.kaggle.kernels import AttachedData, Kernels
from medfold.kaggle.session import KaggleSession, Version

LOG_LINES = 12  # printed from the end of a failed notebook's log
UNDER_WAY = ("queued", "running", "complete")


@dataclass(frozen=True)
class RemoteRun:
    """A notebook to run on Kaggle, with its data.

    Args:
        name: of the notebook.
        dataset: name of the data set.
        manifest: the JSON file that names all other files of its folder and their hashes; the data set holds the
            folder. Its key `mark` is the content id.
        notebook: the notebook file; its text contains the content id.
        others: other data sets to attach: owner/name of each.
        competition: the slug of the competition whose data is attached. Defaults to none.
        internet: whether the notebook may use the internet. Defaults to False.
    """

    name: str
    dataset: str
    manifest: Path
    notebook: Path
    others: list[str]
    competition: str | None = None
    internet: bool = False

    @property
    def folder(self) -> Path:
        """The folder whose files the data set holds."""
        return self.manifest.parent

    @property
    def content_id(self) -> str:
        """Identifies the content of the run; the same for all versions of this package."""
        return files.read_json(self.manifest)["mark"]


@dataclass(frozen=True)
class FinishedRun:
    """A remote run that has succeeded.

    Args:
        dataset: the version that the notebook read; None if it has been removed.
        notebook: the version that ran.
    """

    dataset: Version | None
    notebook: Version

    @property
    def facts(self) -> dict[str, Any]:
        """Names, versions and links, for JSON."""
        return {"dataset": vars(self.dataset) if self.dataset else None, "notebook": vars(self.notebook)}


class FailedNotebookError(UserError):
    """A notebook that ran and failed; it may have written files.

    Args:
        notebook: the version.
    """

    def __init__(self, what: str, where: object, fix: str | None, notebook: Version):
        super().__init__(what, where, fix)
        self.notebook = notebook


def manifest_id(manifest: Path) -> str:
    """Returns the first 12 digits of a manifest's SHA-256: the content id of the data set that holds it."""
    return files.sha256(manifest)[:12]


def run_at_kaggle(
    session: KaggleSession, wanted: RemoteRun, longest: float, log: Path, again: bool = False
) -> FinishedRun:
    """Runs a notebook on Kaggle, unless it is running or has run before, and waits for its end.

    Args:
        session: with credentials.
        wanted: the run.
        longest: seconds to wait.
        log: the file for the notebook's printed output.
        again: runs it once more even if it has run before. Defaults to False.

    Raises:
        UserError: a refusal, with Kaggle's reason.
        FailedNotebookError: a notebook that failed; the end of its log was printed.
    """
    kernels = Kernels(session)
    begun = (None if again else _find_begun(session, wanted)) or _begin(session, wanted)
    status = kernels.follow(begun.notebook, longest)
    printed = kernels.output(begun.notebook).log
    files.write_text(printed, log)
    if status.state != "complete":
        for line in printed.strip().splitlines()[-LOG_LINES:]:
            say("", line)
        what = status.message or f"it ended as '{status.state.replace('_', ' ')}', and Kaggle gives no reason"
        raise FailedNotebookError(
            f"the notebook failed: {what}", begun.notebook.link, f"Its log: {log}", begun.notebook
        )
    return begun


def _find_begun(session: KaggleSession, wanted: RemoteRun) -> FinishedRun | None:
    """Returns the versions of this run, if it is under way or complete; else None."""
    kernels = Kernels(session)
    newest = kernels.version_and_text(wanted.name)
    if newest is None:
        return None
    notebook, text = newest
    if not notebook.version or wanted.content_id not in text or kernels.status(notebook).state not in UNDER_WAY:
        return None
    say("notebook", f"pushed before, version {notebook.version}: {notebook.link}")
    return FinishedRun(Datasets(session).version(wanted.dataset), notebook)


def _begin(session: KaggleSession, wanted: RemoteRun) -> FinishedRun:
    """Uploads the data set and starts the notebook."""
    kernels, dataset = Kernels(session), _upload(session, wanted)
    if hours := kernels.gpu_hours():
        say("kaggle", f"{hours[0]:.1f} of {hours[1]:.0f} GPU hours are left this week")
    attached = AttachedData([dataset.ref, *wanted.others], wanted.competition)
    pushed = kernels.push(wanted.name, wanted.notebook, attached, wanted.internet)
    say("notebook", f"version {pushed.version}: {pushed.link}")
    return FinishedRun(dataset, pushed)


def _upload(session: KaggleSession, wanted: RemoteRun) -> Version:
    """Returns the version of the data set with these files, which are uploaded unless it holds them already."""
    datasets, content_id = Datasets(session), manifest_id(wanted.manifest)
    present = datasets.version(wanted.dataset)
    if present and datasets.holds(wanted.dataset, content_id):
        say("data set", f"unchanged, version {present.version}: {present.link}")
        return present
    total = sum(path.stat().st_size for path in wanted.folder.iterdir())
    say("data set", f"uploading {format_size(total)} as {session.user}/{wanted.dataset}, private")
    uploaded = datasets.upload(wanted.dataset, wanted.folder, content_id)
    say("data set", f"version {uploaded.version}: {uploaded.link}")
    return uploaded
