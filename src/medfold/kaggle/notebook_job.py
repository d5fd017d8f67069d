"""A notebook job on Kaggle, started at most once: a private data set, and a notebook that reads it.

The state on Kaggle is checked before anything is sent, so that a command that was killed can be run again, and
nothing is uploaded or run twice.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medfold.errors import UserError
from medfold.kaggle.datasets import KaggleDatasets
from medfold.kaggle.kernels import AttachedData, KaggleKernels
from medfold.kaggle.session import ContentVersion, KaggleSession
from medfold.system import files, json_files
from medfold.system.hashes import sha256
from medfold.terminal.console import format_size, say

NUM_LOG_LINES = 12  # printed from the end of a failed notebook's log
STARTED_STATES = ("queued", "running", "complete")


@dataclass(frozen=True)
class NotebookJob:
    """A notebook to run on Kaggle, with its data.

    Args:
        name: name of the notebook, without its owner.
        dataset_name: name of the data set.
        manifest: the JSON file that names all other files of its folder and their hashes; the data set holds them and
            the manifest. Its key `content_id` identifies the content.
        notebook: the notebook file; its text contains the content id.
        attached: data to attach beside the data set.
        internet: True if the notebook may use the internet. Defaults to False.
    """

    name: str
    dataset_name: str
    manifest: Path
    notebook: Path
    attached: AttachedData
    internet: bool = False

    @property
    def folder(self) -> Path:
        """The folder of the manifest and of the files that it names."""
        return self.manifest.parent

    @property
    def files(self) -> list[Path]:
        """The manifest and the files that it names; another file in their folder is not sent."""
        return sorted([self.manifest, *(self.folder / name for name in json_files.read(self.manifest)["files"])])

    @property
    def content_id(self) -> str:
        """Id of the content of the run; the same for all versions of this package."""
        return json_files.read(self.manifest)["content_id"]


@dataclass(frozen=True)
class StartedJob:
    """The versions of the notebook and of the data set of a run on Kaggle.

    Args:
        dataset_version: what the notebook read; None if it has been removed.
        notebook_version: what ran.
    """

    dataset_version: ContentVersion | None
    notebook_version: ContentVersion

    @property
    def versions(self) -> dict[str, Any]:
        """Names, versions and links, for JSON."""
        dataset = self.dataset_version.content() if self.dataset_version else None
        return {"dataset": dataset, "notebook": self.notebook_version.content()}


class FailedNotebookError(UserError):
    """A notebook that ran and failed; it may have written files.

    Args:
        notebook: version of the notebook that failed.
    """

    def __init__(self, what: str, where: object, fix: str | None, notebook: ContentVersion):
        super().__init__(what, where, fix)
        self.notebook = notebook


def _manifest_id(manifest: Path) -> str:
    """Returns the first 12 digits of a manifest's SHA-256: the content id of the data set that holds it."""
    return sha256(manifest)[:12]


def run_notebook_job(
    session: KaggleSession, job: NotebookJob, max_seconds: float, log: Path, rerun: bool = False
) -> StartedJob:
    """Runs a notebook on Kaggle, unless it is running or has run before, and waits for its end.

    Args:
        session: connection to Kaggle, with credentials.
        job: notebook to run, and the data sets that it reads.
        max_seconds: longest time to wait for the run, in seconds.
        log: file to write the notebook's printed output to.
        rerun: run it once more even if it has run before. Defaults to False.

    Returns:
        Versions of the notebook and the data set of the run, which has succeeded.

    Raises:
        UserError: a refusal, with Kaggle's reason.
        FailedNotebookError: a notebook that failed; the end of its log was printed.
    """
    kernels = KaggleKernels(session)
    started = (None if rerun else _find_started(session, job)) or _start(session, job)
    status = kernels.follow(started.notebook_version, max_seconds)
    printed = kernels.output(started.notebook_version).log
    files.write_text(printed, log)
    if status.state != "complete":
        for line in printed.strip().splitlines()[-NUM_LOG_LINES:]:
            say("", line)
        what = status.message or f"it ended as '{status.state.replace('_', ' ')}', reason unknown"
        raise FailedNotebookError(
            f"the notebook failed: {what}", started.notebook_version.link, f"Its log: {log}", started.notebook_version
        )
    return started


def _find_started(session: KaggleSession, job: NotebookJob) -> StartedJob | None:
    """Returns the versions of this run, if it is under way or complete; else None."""
    kernels = KaggleKernels(session)
    newest = kernels.version_and_text(job.name)
    if newest is None:
        return None
    notebook, text = newest
    if not notebook.version or job.content_id not in text or kernels.status(notebook).state not in STARTED_STATES:
        return None
    say("notebook", f"pushed before, version {notebook.version}: {notebook.link}")
    return StartedJob(KaggleDatasets(session).version(job.dataset_name), notebook)


def _start(session: KaggleSession, job: NotebookJob) -> StartedJob:
    """Uploads the data set and starts the notebook."""
    kernels = KaggleKernels(session)
    dataset = _upload(session, job)
    if hours := kernels.gpu_hours():
        say("kaggle", f"{hours[0]:.1f} of {hours[1]:.0f} GPU hours are left this week")
    attached = replace(job.attached, datasets=[dataset.full_name, *job.attached.datasets])
    pushed = kernels.push(job.name, job.notebook, attached, job.internet)
    say("notebook", f"version {pushed.version}: {pushed.link}")
    return StartedJob(dataset, pushed)


def _upload(session: KaggleSession, job: NotebookJob) -> ContentVersion:
    """Returns the version of the data set with these files, which are uploaded unless it holds them already."""
    datasets = KaggleDatasets(session)
    content_id = _manifest_id(job.manifest)
    present = datasets.version(job.dataset_name)
    if present and datasets.has_content(job.dataset_name, content_id):
        say("data set", f"unchanged, version {present.version}: {present.link}")
        return present
    total = sum(path.stat().st_size for path in job.files)
    say("data set", f"uploading {format_size(total)} as {session.user}/{job.dataset_name}, private")
    uploaded = datasets.upload(job.dataset_name, job.files, content_id)
    say("data set", f"version {uploaded.version}: {uploaded.link}")
    return uploaded
