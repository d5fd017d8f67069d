"""Kaggle's machines: data sets and notebooks of one's own, and what comes of running them."""

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from medfold import files, http_download
from medfold.console import Meter, minutes, say, spinner, warn
from medfold.errors import UserError, some
from medfold.kaggle.client import SITE, asking, explained
from medfold.kaggle.session import KaggleSession

LONGEST = 50  # letters of the name of a data set or notebook
LICENCE = "other"  # Kaggle asks for one; the data set is private
GPU = "NvidiaTeslaT4"  # two of them
STARTS = 1800  # seconds that Kaggle may take to unpack a data set
SILENT = 30  # failed looks in a row at a session, about half an hour, before it is given up
LOOKS = (2, 4, 8, 15, 30)  # seconds between looks for something whose answer was lost
UNUSABLE = ("failed", "deleted")  # of a data set
ENDED = ("complete", "error", "cancel_acknowledged")

wait = time.sleep


@dataclass(frozen=True)
class Version:
    """A version of a data set or of a notebook.

    Args:
        ref: owner/name.
        version: its number.
        link: its page.
    """

    ref: str
    version: int
    link: str


@dataclass(frozen=True)
class KernelRun:
    """A run of a notebook.

    Args:
        state: queued, running, complete, error, cancel_requested, cancel_acknowledged or new_script.
        message: why it failed, as Kaggle says it.
    """

    state: str
    message: str

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class Output:
    """What the last run of a notebook left.

    Args:
        files: name -> address.
        log: what it wrote.
    """

    files: dict[str, str]
    log: str


@dataclass(frozen=True)
class Attached:
    """What a notebook finds below /kaggle/input.

    Args:
        datasets: owner/name of each.
        competition: the slug of that whose data it reads. Defaults to none.
    """

    datasets: list[str]
    competition: str | None = None


class Machines:
    """One's own data sets and notebooks.

    Args:
        kaggle: a session with Kaggle, with credentials.
    """

    def __init__(self, kaggle: KaggleSession):
        self._kaggle, self.user = kaggle, kaggle.credentials.user

    @property
    def _api(self) -> Any:
        return self._kaggle.api

    @property
    def _source(self) -> str:
        return self._kaggle.credentials.source

    # Data sets.

    def dataset(self, name: str) -> Version | None:
        """A data set as it stands now; None if there is none of that name.

        Raises:
            UserError: it is not private.
        """
        from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest

        request = ApiGetDatasetRequest()
        request.owner_slug, request.dataset_slug = self.user, name
        with self._asking(name), self._api.build_kaggle_client() as client:
            found = _unless_absent(client.datasets.dataset_api_client.get_dataset, request)
        if found is None:
            return None
        link = f"{SITE}/datasets/{self.user}/{name}"
        if not found.is_private:
            fix = f"Make it private, or delete it: {link}/settings"
            raise UserError("this data set is public, and would publish your folds", f"{self.user}/{name}", fix)
        return Version(f"{self.user}/{name}", found.current_version_number or 1, link)

    def holds(self, name: str, mark: str) -> bool:
        """True if a data set, once it is ready, was uploaded with that mark; False of one that never will be ready."""
        if self._state(name) in UNUSABLE:
            return False
        self._wait_for(name, None)
        return self._shows(name, mark)

    def upload(self, name: str, folder: Path, mark: str) -> Version:
        """Makes the files of a folder the first version of a private data set, or its next.

        A version holds what is sent with it and nothing of the versions before.

        Args:
            name: of the data set.
            folder: its files; folders in it are left out.
            mark: by which `holds` knows this version: the name of one more file.

        Raises:
            UserError: a failed upload, or Kaggle's reason to refuse; nothing is changed then.
        """
        from kagglesdk.datasets.types import dataset_api_service as types

        before = self.dataset(name)
        with tempfile.TemporaryDirectory() as extra:
            marker = Path(extra) / _marker(mark)
            marker.write_text(f"medfold {mark}\n", encoding="utf-8")
            sent = [*sorted(path for path in folder.iterdir() if path.is_file()), marker]
            uploaded = []
            with Meter("upload", sum(path.stat().st_size for path in sent)) as meter:
                for path in sent:
                    uploaded.append(self._uploaded(path))
                    meter.advance(path.stat().st_size)

        def ask(client: Any) -> Any:
            service = client.datasets.dataset_api_client
            if before is None:
                request = types.ApiCreateDatasetRequest()
                request.owner_slug, request.slug, request.title = self.user, name, name
                request.license_name, request.is_private, request.files = LICENCE, True, uploaded
                return service.create_dataset(request)
            request = types.ApiCreateDatasetVersionRequest()
            request.owner_slug, request.dataset_slug = self.user, name
            request.body = types.ApiCreateDatasetVersionRequestBody()
            request.body.version_notes, request.body.files = f"medfold {mark}", uploaded
            return service.create_dataset_version(request)

        def arrived() -> Version | None:
            now = self.dataset(name)
            return now if now and (before is None or now.version > before.version) else None

        answer = self._once(f"data set {self.user}/{name}", ask, arrived)
        if answer and (answer.error or (answer.status or "").lower() == "error"):
            raise UserError(f"Kaggle refuses the data set: {answer.error or 'no reason given'}", f"{self.user}/{name}")
        self._wait_for(name, mark)
        placed = self.dataset(name)
        if placed is None:
            raise UserError("the data set was made, but Kaggle does not show it", f"{self.user}/{name}", "Run it again")
        return placed

    def _uploaded(self, path: Path) -> Any:
        from kagglesdk.blobs.types.blob_api_service import ApiBlobType, ApiStartBlobUploadRequest
        from kagglesdk.datasets.types.dataset_api_service import ApiDatasetNewFile

        request = ApiStartBlobUploadRequest()
        request.type, request.name = ApiBlobType.DATASET, path.name
        request.content_length = path.stat().st_size
        request.last_modified_epoch_seconds = int(path.stat().st_mtime)
        with self._asking(path.name), self._api.build_kaggle_client() as client:
            answer = client.blobs.blob_api_client.start_blob_upload(request)
        self._api.upload_complete(str(path), answer.create_url, quiet=True)
        file = ApiDatasetNewFile()
        file.token = answer.token
        return file

    def _wait_for(self, name: str, mark: str | None) -> None:
        """Waits until a data set can be attached, and, with a mark, until it is the version of that mark.

        Raises:
            UserError: it never will be, or not for long.
        """
        if self._state(name) == "ready" and (mark is None or self._shows(name, mark)):
            return
        waited, delay = 0.0, 2.0
        with spinner("Kaggle unpacks the data set"):
            while True:
                found = self._state(name)
                if found in UNUSABLE:
                    what = f"Kaggle could not unpack the data set ({found})"
                    raise UserError(what, f"{self.user}/{name}", "Run it again: it is sent anew")
                if found == "ready" and (mark is None or self._shows(name, mark)):
                    return
                if waited >= STARTS:
                    what = f"the data set is not ready after {minutes(waited)} ({found})"
                    raise UserError(what, f"{self.user}/{name}", "Run it again later; it is not sent again")
                wait(delay)
                waited, delay = waited + delay, min(1.5 * delay, 20)

    def _shows(self, name: str, mark: str) -> bool:
        return _marker(mark) in self._kaggle.dataset_files(f"{self.user}/{name}")

    def _state(self, name: str) -> str:
        from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetStatusRequest

        request = ApiGetDatasetStatusRequest()
        request.owner_slug, request.dataset_slug = self.user, name
        with self._asking(name), self._api.build_kaggle_client() as client:
            # One that was made a moment ago may not be shown yet.
            found = _unless_absent(client.datasets.dataset_api_client.get_dataset_status, request)
            return found.status.name.lower() if found else "not shown yet"

    # Notebooks.

    def notebook(self, name: str) -> tuple[Version, str] | None:
        """The newest version of a notebook and its text; None if there is none of that name."""
        from kagglesdk.kernels.types.kernels_api_service import ApiGetKernelRequest

        request = ApiGetKernelRequest()
        request.user_name, request.kernel_slug = self.user, name
        with self._asking(name), self._api.build_kaggle_client() as client:
            found = _unless_absent(client.kernels.kernels_api_client.get_kernel, request)
            if found is None:
                return None
            return self._page(name, found.metadata.current_version_number or 0), found.blob.source or ""

    def push(self, name: str, notebook: Path, attached: Attached, internet: bool = False) -> Version:
        """Makes a file the newest version of a private notebook and has it run on GPUs.

        Args:
            name: of the notebook.
            notebook: an .ipynb file.
            attached: what it finds there.
            internet: whether it may use it. Defaults to not.

        Raises:
            UserError: Kaggle's reason to refuse, or something that it could not attach.
        """
        before = self.notebook(name)
        about = {
            "id": f"{self.user}/{name}",
            "title": name,
            "code_file": notebook.name,
            "language": "python",
            "kernel_type": "notebook",
            "is_private": True,
            "enable_gpu": True,
            "enable_internet": internet,
            "machine_shape": GPU,
            "competition_sources": [attached.competition] if attached.competition else [],
            "dataset_sources": attached.datasets,
            "kernel_sources": [],
            "model_sources": [],
        }
        where = f"notebook {self.user}/{name}"

        def arrived() -> Version | None:
            now = self.notebook(name)
            return now[0] if now and (before is None or now[0].version > before[0].version) else None

        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "kernel-metadata.json").write_text(json.dumps(about), encoding="utf-8")
            (Path(folder) / notebook.name).write_bytes(notebook.read_bytes())
            answer = self._once(where, lambda client: self._api.kernels_push(folder), arrived)
        if answer is None:
            found = arrived()
            assert found, "seen a moment ago"
            return found
        if answer.error:
            raise UserError(f"Kaggle refuses the notebook: {answer.error}", where, _what_to_do(answer.error))
        absent = {
            "competition": answer.invalid_competition_sources,
            "data set": answer.invalid_dataset_sources,
            "notebook": answer.invalid_kernel_sources,
            "model": answer.invalid_model_sources,
        }
        for kind, names in absent.items():
            if names:
                fix = f"Have you joined it? {SITE}/competitions/{names[0]}/rules" if kind == "competition" else None
                raise UserError(f"Kaggle cannot attach the {kind} {some(names)}", where, fix)
        if not answer.version_number:
            raise UserError("Kaggle tells no version of the notebook", where, "Run it again")
        return self._page(name, answer.version_number)

    def gpu_hours(self) -> tuple[float, float] | None:
        """The hours that are left on GPUs, and all of a week's; None where Kaggle does not tell."""
        try:
            quota = self._api.quota_view().gpu_quota
            allowed = quota.total_time_allowed.total_seconds() / 3600
            return max(0.0, allowed - quota.time_used.total_seconds() / 3600), allowed
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError):
            return None  # it is told for information only: who has none left is refused by Kaggle

    def session(self, notebook: Version) -> KernelRun:
        """How the run of a version of a notebook stands."""
        with self._asking(notebook.ref):
            return self._session(notebook)

    def follow(self, notebook: Version, longest: float) -> KernelRun:
        """Waits until a version of a notebook has run, telling when its state changes.

        Args:
            notebook: the version.
            longest: seconds to wait.

        Raises:
            UserError: it takes longer, or Kaggle is silent for long; the notebook goes on.
        """
        began, delay, failures, told, renewed = time.monotonic(), 5.0, 0, "", False
        fix = "It goes on there; the same command takes it up again"
        with spinner(f"{notebook.ref} on Kaggle's machines"):
            while True:
                try:
                    found = self._session(notebook)
                except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
                    if _status(error) == 401 and not renewed:  # a token of hours ago
                        self._kaggle.renew()
                        renewed = True
                        continue
                    failures += 1
                    if _final(error) or failures == SILENT:
                        with self._asking(notebook.ref):
                            raise
                    if failures == 1:
                        lost = isinstance(error, requests.RequestException)
                        why = http_download.reason(error) if lost else "an answer without sense"
                        warn("kaggle", f"no word of the notebook ({why}); it goes on, and so do we")
                else:
                    failures, renewed, waited = 0, False, time.monotonic() - began
                    if found.state != told:
                        say("kaggle", f"{found.state.replace('_', ' ')}, {minutes(waited)}")
                        told = found.state
                    if found.ended:
                        return found
                    if waited > longest:
                        raise UserError(f"the notebook has not ended in {minutes(waited)}", notebook.ref, fix)
                wait(delay)
                delay = min(1.3 * delay, 60)

    def output(self, notebook: Version) -> Output:
        """What the run of a version of a notebook left."""
        from kagglesdk.kernels.types.kernels_api_service import ApiListKernelSessionOutputRequest

        request = ApiListKernelSessionOutputRequest()
        request.user_name, request.kernel_slug = notebook.ref.split("/")
        request.version_label = _label(notebook)
        addresses: dict[str, str] = {}
        while True:
            with self._asking(notebook.ref), self._api.build_kaggle_client() as client:
                page = client.kernels.kernels_api_client.list_kernel_session_output(request)
            addresses |= {file.file_name: file.url for file in page.files or []}
            if not page.next_page_token:
                return Output(addresses, _log(page.log or ""))
            request.page_token = page.next_page_token

    def fetch(self, notebook: Version, name: str, out: Path) -> None:
        """Downloads a file that the run of a version of a notebook left; each attempt by a fresh address.

        Raises:
            UserError: it left none of that name, or what comes is a page and no such file.
        """
        left = self.output(notebook).files
        if name not in left:
            there = f"It left {some(sorted(left))}" if left else "It left nothing"
            raise UserError(f"the notebook wrote no {name}", notebook.ref, there)
        files.remove(out)
        http_download.fetch(lambda: http_download.open_stream(self.output(notebook).files[name]), out)
        with out.open("rb") as file:
            if file.read(100).lstrip()[:1] in (b"<", b"{"):  # an error, for a table or an archive never begins so
                out.unlink()
                raise UserError(f"Kaggle sends an error page instead of {name}", notebook.ref, "Run it again")

    # Both.

    def listed(self, beginning: str) -> Iterator[tuple[str, str]]:
        """What there is of one's own whose name begins so: ('notebook' or 'data set', owner/name)."""
        for kind, ask in (("notebook", self._notebooks), ("data set", self._datasets)):
            for ref in sorted(ask()):
                owner, _, name = ref.rpartition("/")
                if owner.lower() == self.user.lower() and name.startswith(beginning):
                    yield kind, ref

    def _notebooks(self) -> Iterator[str]:
        return self._refs("your notebooks", self._api.kernels_list_with_response, lambda page: page.kernels)

    def _datasets(self) -> Iterator[str]:
        return self._refs("your data sets", self._api.dataset_list_with_response, lambda page: page.datasets)

    def _refs(self, where: str, ask: Callable[..., Any], rows: Callable[[Any], Any]) -> Iterator[str]:
        token: str | None = None
        while True:
            with self._asking(where):
                page = ask(mine=True, page_size=100, page_token=token)
            yield from (each.ref for each in rows(page) or [])
            token = page.next_page_token
            if not token:
                return

    def remove(self, kind: str, ref: str) -> None:
        """Deletes a notebook or a data set for good.

        Raises:
            UserError: Kaggle's reason not to.
        """
        from kagglesdk.datasets.types.dataset_api_service import ApiDeleteDatasetRequest
        from kagglesdk.kernels.types.kernels_api_service import ApiDeleteKernelRequest

        owner, name = ref.split("/")
        with self._asking(ref), self._api.build_kaggle_client() as client:
            if kind == "notebook":
                request = ApiDeleteKernelRequest()
                request.user_name, request.kernel_slug = owner, name
                problem = client.kernels.kernels_api_client.delete_kernel(request).error_message
            else:
                request = ApiDeleteDatasetRequest()
                request.owner_slug, request.dataset_slug = owner, name
                problem = client.datasets.dataset_api_client.delete_dataset(request).error
        if problem:
            raise UserError(f"Kaggle does not delete the {kind}: {problem}", ref)

    def _page(self, name: str, version: int) -> Version:
        return Version(f"{self.user}/{name}", version, f"{SITE}/code/{self.user}/{name}")

    def _session(self, notebook: Version) -> KernelRun:
        from kagglesdk.kernels.types.kernels_api_service import ApiGetKernelSessionStatusRequest

        request = ApiGetKernelSessionStatusRequest()
        request.user_name, request.kernel_slug = notebook.ref.split("/")
        request.version_label = _label(notebook)
        with self._api.build_kaggle_client() as client:
            found = client.kernels.kernels_api_client.get_kernel_session_status(request)
        return KernelRun(found.status.name.lower(), found.failure_message or "")

    def _once(self, where: str, ask: Callable[[Any], Any], arrived: Callable[[], Any]) -> Any:
        """The answer to what is asked once and not repeated; None if the answer was lost, but what was asked is done.

        Args:
            ask: takes a client.
            arrived: whether Kaggle did what was asked.
        """
        try:
            with self._api.build_kaggle_client() as client:
                return ask(client)
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            status = _status(error)
            if status is not None and (status < 500 or status == 503):
                refusal = explained(error, where, self._source)
                raise UserError(refusal.what, where, _what_to_do(str(error)) or refusal.fix) from None
            why = (
                http_download.reason(error)
                if isinstance(error, requests.RequestException)
                else "an answer without sense"
            )
        warn("kaggle", f"the answer was lost ({why}); asking whether it arrived")
        for seconds in LOOKS:
            wait(seconds)
            if arrived():
                return None
        fix = "Run it again in some minutes: what Kaggle has is looked at before anything is sent"
        raise UserError("it is not known whether Kaggle took it", where, fix)

    def _asking(self, where: str) -> contextlib.AbstractContextManager[None]:
        return asking(where, self._source)


def name_of(*words: str) -> str:
    """A name for a data set or notebook: the words with '-' between.

    It ends with a hash where it would be too long, or where letters that Kaggle does not take were lost.
    """
    text = "-".join("".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in w) for w in words)
    name = "-".join(part for part in text.lower().split("-") if part)
    if len(name) <= LONGEST and name == "-".join(words):
        return name
    return f"{name[: LONGEST - 7].rstrip('-')}-{files.fingerprint(words, 6)}"


def _marker(mark: str) -> str:
    return f"version-{mark}.txt"


def _label(notebook: Version) -> str:
    """How Kaggle is asked for a version rather than the newest: a bare number is not found."""
    return f"v{notebook.version}"


def _status(error: Exception) -> int | None:
    response = error.response if isinstance(error, requests.RequestException) else None
    return None if response is None else response.status_code


def _final(error: Exception) -> bool:
    """True if asking again cannot help."""
    status = _status(error)
    return status is not None and status < 500 and status not in (408, 429)


def _unless_absent(ask: Callable[[Any], Any], request: Any) -> Any:
    """The answer; None if there is no such thing. Of what does not exist, Kaggle may say that one must not see it."""
    try:
        return ask(request)
    except requests.HTTPError as error:
        if _status(error) in (403, 404):
            return None
        raise


def _what_to_do(problem: str) -> str | None:
    problem = problem.lower()
    if "quota" in problem or "gpu hours" in problem:
        return f"What is left of this week's GPU hours: {SITE}/settings"
    if "phone" in problem or "verif" in problem:
        return f"Verify your phone number: {SITE}/settings"
    if "concurrent" in problem or "maximum" in problem:
        return f"Wait for other sessions to end, or stop them: {SITE}/code?active=true"
    return None


def _log(text: str) -> str:
    """What a notebook wrote, of a log as Kaggle keeps it: a list of {"stream_name", "time", "data"}."""
    try:
        return "".join(piece["data"] for piece in json.loads(text))
    except (ValueError, TypeError, KeyError):
        return text
