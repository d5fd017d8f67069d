"""The user's own notebooks on Kaggle: uploads them, follows their runs, downloads their output."""

import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medfold.errors import UserError
from medfold.kaggle import client
from medfold.kaggle.client import SITE
from medfold.kaggle.request_errors import REQUEST_ERRORS, advice, is_final, reason_of, status_of
from medfold.kaggle.session import ContentVersion, KaggleSession
from medfold.system import files, http_download
from medfold.system.waiting import GrowingPause
from medfold.terminal.console import format_duration, say, warn
from medfold.terminal.progress import spinner
from medfold.text import shorten_list

ACCELERATOR = "NvidiaTeslaT4"  # Kaggle provides two
MAX_FAILURES = 30  # failed status requests in a row, about half an hour, before waiting ends
FINAL_STATES = ("complete", "error", "cancel_acknowledged")


@dataclass(frozen=True)
class KernelRun:
    """State of a notebook's run.

    Args:
        state: queued, running, complete, error, cancel_requested, cancel_acknowledged or new_script.
        message: Kaggle's reason for a failure.
    """

    state: str
    message: str

    @property
    def has_ended(self) -> bool:
        """True if the state is final."""
        return self.state in FINAL_STATES


@dataclass(frozen=True)
class KernelOutput:
    """Output of a notebook's run.

    Args:
        files: short-lived URL of each output file, by name.
        log: printed output of the notebook.
    """

    files: dict[str, str]
    log: str


@dataclass(frozen=True)
class AttachedData:
    """Data that a notebook finds below /kaggle/input.

    Args:
        datasets: owner/name of each data set. Defaults to none.
        competition: slug of the competition whose data the notebook reads. Defaults to none.
    """

    datasets: list[str] = field(default_factory=list)
    competition: str | None = None


class KaggleKernels:
    """The user's own notebooks; Kaggle calls them kernels.

    Args:
        session: connection to Kaggle, with credentials.

    Example:
        `KaggleKernels(session).follow(version, max_seconds=3600).state`
    """

    def __init__(self, session: KaggleSession):
        self.session = session

    def version_and_text(self, name: str) -> tuple[ContentVersion, str] | None:
        """Returns the newest version of a notebook and its text; None if there is none of that name."""
        answer = self.session.find(name, "kernels", "get_kernel", user_name=self.session.user, kernel_slug=name)
        if answer is None:
            return None
        with self.session.errors(name):
            return self._version(name, answer.metadata.current_version_number or 0), answer.blob.source or ""

    def version(self, name: str) -> ContentVersion | None:
        """Returns the newest version of a notebook; None if there is none of that name."""
        newest = self.version_and_text(name)
        return newest[0] if newest else None

    def push(self, name: str, notebook_file: Path, attached: AttachedData, internet: bool = False) -> ContentVersion:
        """Uploads a file as the newest version of a private notebook; Kaggle runs it on GPUs.

        Args:
            name: name of the notebook, without its owner.
            notebook_file: path of the .ipynb file.
            attached: data that the notebook reads.
            internet: whether the notebook may use the internet. Defaults to False.

        Returns:
            The version that was made.

        Raises:
            UserError: Kaggle's reason to refuse, or data that it could not attach.
        """
        previous = self.version(name)
        where = f"notebook {self.session.user}/{name}"

        def find() -> ContentVersion | None:
            newest = self.version(name)
            return newest if newest and (previous is None or newest.version > previous.version) else None

        with tempfile.TemporaryDirectory() as folder:
            metadata = self._metadata(name, notebook_file.name, attached, internet)
            (Path(folder) / "kernel-metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
            (Path(folder) / notebook_file.name).write_bytes(notebook_file.read_bytes())
            answer, pushed = self.session.send_once(where, lambda: self.session.api.kernels_push(folder), find)
        if pushed:
            return pushed
        if answer.error:
            fix = advice(answer.error) or f"Run the same command again, or see {SITE}/code"
            raise UserError(f"Kaggle refuses the notebook: {answer.error}", where, fix)
        _check_attached(answer, where)
        if not answer.version_number:
            raise UserError("Kaggle's answer has no version of the notebook", where, "Run the same command again")
        return self._version(name, answer.version_number)

    def gpu_hours(self) -> tuple[float, float] | None:
        """Returns the remaining GPU hours and the weekly quota; None if Kaggle does not report them."""
        try:
            quota = self.session.api.quota_view().gpu_quota
            allowed = quota.total_time_allowed.total_seconds() / 3600
            return max(0.0, allowed - quota.time_used.total_seconds() / 3600), allowed
        except REQUEST_ERRORS:
            return None  # only for information: Kaggle itself refuses a run without quota

    def status(self, notebook: ContentVersion) -> KernelRun:
        """Returns the state of the run of a notebook version."""
        with self.session.errors(notebook.full_name):
            return _request_status(self.session, notebook)

    def follow(self, notebook: ContentVersion, max_seconds: float) -> KernelRun:
        """Waits until the run of a notebook version ends, and prints its state when it changes.

        Args:
            notebook: version of a notebook, as `push` or `version` return it.
            max_seconds: longest time to wait, in seconds.

        Returns:
            The final state of the run.

        Raises:
            UserError: the notebook takes longer, or Kaggle does not answer for half an hour; the notebook goes on.
        """
        began = time.monotonic()
        shown_state = ""
        status_requests = _StatusRequests(self.session, notebook)
        growing = GrowingPause(first=5, factor=1.3, longest=60)
        fix = "It continues on Kaggle; run the same command again to wait for it"
        with spinner(f"{notebook.full_name} on Kaggle's machines"):
            while True:
                if run := status_requests.send():
                    waited = time.monotonic() - began
                    if run.state != shown_state:
                        say("kaggle", f"{run.state.replace('_', ' ')}, {format_duration(waited)}")
                        shown_state = run.state
                    if run.has_ended:
                        return run
                    if waited > max_seconds:
                        raise UserError(
                            f"the notebook has not ended in {format_duration(waited)}", notebook.full_name, fix
                        )
                growing.pause()

    def output(self, notebook: ContentVersion) -> KernelOutput:
        """Returns the output of the run of a notebook version."""
        fields: dict[str, Any] = _run_of(notebook)
        urls: dict[str, str] = {}
        while True:
            page = self.session.call(notebook.full_name, "kernels", "list_kernel_session_output", **fields)
            urls |= {file.file_name: file.url for file in page.files or []}
            if not page.next_page_token:
                return KernelOutput(urls, _parse_log(page.log or ""))
            fields["page_token"] = page.next_page_token

    def fetch(self, notebook: ContentVersion, name: str, out: Path) -> None:
        """Downloads an output file of the run of a notebook version; each attempt requests a fresh URL.

        Args:
            notebook: version of a notebook, as `push` or `version` return it.
            name: name of the output file.
            out: path to write the file to.

        Raises:
            UserError: there is no file of that name, or an error page is sent instead of it.
        """
        output_files = self.output(notebook).files
        if name not in output_files:
            written = shorten_list(sorted(output_files)) if output_files else "no file"
            fix = f"It wrote {written}: read its log, {notebook.link}"
            raise UserError(f"the notebook wrote no {name}", notebook.full_name, fix)
        files.remove(out)
        http_download.download_file(lambda: http_download.open_stream(self.output(notebook).files[name]), out)
        with out.open("rb") as file:
            if file.read(100).lstrip()[:1] in (b"<", b"{"):  # HTML or JSON; no table or archive begins with these
                out.unlink()
                raise UserError(
                    f"Kaggle sends an error page instead of {name}", notebook.full_name, "Run the same command again"
                )

    def _metadata(self, name: str, file: str, attached: AttachedData, internet: bool) -> dict[str, Any]:
        """Returns the contents of kernel-metadata.json, which the official client reads."""
        return {
            "id": f"{self.session.user}/{name}",
            "title": name,
            "code_file": file,
            "language": "python",
            "kernel_type": "notebook",
            "is_private": True,
            "enable_gpu": True,
            "enable_internet": internet,
            "machine_shape": ACCELERATOR,
            "competition_sources": [attached.competition] if attached.competition else [],
            "dataset_sources": attached.datasets,
            "kernel_sources": [],
            "model_sources": [],
        }

    def _version(self, name: str, number: int) -> ContentVersion:
        return ContentVersion(f"{self.session.user}/{name}", number, f"{SITE}/code/{self.session.user}/{name}")


class _StatusRequests:
    """Repeated requests for the state of a run, which survive lost connections and an expired token.

    Args:
        session: connection to Kaggle, whose credentials are renewed.
        notebook: version of the notebook that runs.
    """

    def __init__(self, session: KaggleSession, notebook: ContentVersion):
        self.session, self.notebook = session, notebook
        self._failures = 0  # in a row
        self._has_renewed = False  # since the last answer

    def send(self) -> KernelRun | None:
        """Returns the state; None if Kaggle did not answer.

        Raises:
            UserError: an error that another request cannot change, or too many failures in a row.
        """
        try:
            run = _request_status(self.session, self.notebook)
        except REQUEST_ERRORS as error:
            if status_of(error) == 401 and not self._has_renewed:  # the token has expired
                self.session.renew()
                self._has_renewed = True
                return self.send()
            self._failures += 1
            if is_final(error) or self._failures == MAX_FAILURES:
                with self.session.errors(self.notebook.full_name):
                    raise
            if self._failures == 1:
                warn("kaggle", f"the state of the notebook is unknown ({reason_of(error)}); trying again")
            return None
        self._failures, self._has_renewed = 0, False
        return run


def _request_status(session: KaggleSession, notebook: ContentVersion) -> KernelRun:
    answer = client.call(session.api, "kernels", "get_kernel_session_status", **_run_of(notebook))
    return KernelRun(answer.status.name.lower(), answer.failure_message or "")


def _check_attached(answer: Any, where: str) -> None:
    """Raises UserError for data that Kaggle could not attach."""
    not_attached = {
        "competition": answer.invalid_competition_sources,
        "data set": answer.invalid_dataset_sources,
        "notebook": answer.invalid_kernel_sources,
        "model": answer.invalid_model_sources,
    }
    for kind, names in not_attached.items():
        if names:
            fix = "Check on Kaggle that your account may see it"
            if kind == "competition":
                fix = f"Join it at {SITE}/competitions/{names[0]}/rules"
            raise UserError(f"Kaggle cannot attach the {kind} {shorten_list(names)}", where, fix)


def _run_of(notebook: ContentVersion) -> dict[str, str]:
    """Returns the request fields for the run of this version, not the newest; Kaggle does not find a bare number."""
    user, name = notebook.full_name.split("/")
    return {"user_name": user, "kernel_slug": name, "version_label": f"v{notebook.version}"}


def _parse_log(log: str) -> str:
    """Returns the printed output of a notebook, from Kaggle's log: a list of {"stream_name", "time", "data"}."""
    try:
        return "".join(piece["data"] for piece in json.loads(log))
    except (ValueError, TypeError, KeyError):
        return log
