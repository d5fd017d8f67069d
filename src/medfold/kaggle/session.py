"""All that medfold says to Kaggle, through the official client, whose traps are disarmed here and nowhere else."""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from medfold import http_download
from medfold.console import warn
from medfold.errors import UnreachableError, UserError, nearest, some
from medfold.kaggle.client import SITE, TOKEN_PAGE, asking, explained, official_client
from medfold.kaggle.credentials import Credentials, sign_in

__all__ = ["SITE", "CompetitionInfo", "Credentials", "KaggleSession", "KaggleSubmission", "Limits"]
PAGE = 200  # files per listing
LISTED = 40  # submissions that are asked for at a time: the newest come first
ATTEMPTS = 3  # to submit one file
LOOKS = (2, 4, 8, 15, 30, 30)  # seconds between looks for a submission whose answer was lost

wait = time.sleep


@dataclass(frozen=True)
class CompetitionInfo:
    """What Kaggle tells of a competition and of one's standing in it."""

    slug: str
    joined: bool
    deadline: datetime | None  # UTC
    notebooks_only: bool
    submissions_disabled: bool

    @property
    def over(self) -> bool:
        """True if the deadline has passed; late submissions may still be scored."""
        return self.deadline is not None and self.deadline < datetime.now(UTC)

    @property
    def rules(self) -> str:
        return _rules(self.slug)


@dataclass(frozen=True)
class Limits:
    """How many submissions are left.

    Args:
        left: today (UTC); None where Kaggle does not tell, as before one's first submission.
        by_total: the number is bounded by all that may ever be made.
    """

    left: int | None
    by_total: bool


@dataclass(frozen=True)
class KaggleSubmission:
    """One submission as Kaggle lists it. Scores are None where there is none, or none to see."""

    ref: int
    file: str
    message: str
    status: str  # pending, complete, error
    public: float | None
    private: float | None
    error: str


class KaggleSession:
    """A session with Kaggle."""

    def __init__(self, api: Any, credentials: Credentials | None):
        self.api, self.credentials = api, credentials

    @classmethod
    def connect(cls, anonymous: bool = False) -> "KaggleSession":
        """Finds the credentials that the official client would use, and asks Kaggle whether a token is good.

        Args:
            anonymous: go on without any if there are none (public data sets need none).

        Raises:
            UnreachableError: no credentials.
            UserError: malformed, expired or wrong ones; the source is named.
        """
        api = official_client()
        credentials = sign_in(api)
        if credentials is None and not anonymous:
            fix = f"Create a token at {TOKEN_PAGE} and put it into ~/.kaggle/access_token or KAGGLE_API_TOKEN"
            raise UnreachableError("no Kaggle credentials found", None, fix)
        return cls(api, credentials)

    def renew(self) -> None:
        """Signs in again: what `connect` got has an end.

        Raises:
            UserError: as `connect`.
        """
        fresh = KaggleSession.connect()
        self.api, self.credentials = fresh.api, fresh.credentials

    def facts(self, slug: str) -> CompetitionInfo:
        """What Kaggle tells of a competition.

        Raises:
            UserError: there is none of that name; the nearest one is given.
        """
        from kagglesdk.competitions.types.competition_api_service import ApiGetCompetitionRequest

        request = ApiGetCompetitionRequest()
        request.competition_name = slug
        private = f"Look at {_rules(slug)}: are they accepted, is your phone number verified?"
        with self._asking(slug, private), self.api.build_kaggle_client() as client:
            try:
                found = client.competitions.competition_api_client.get_competition(request)
            except requests.HTTPError as error:
                if error.response is None or error.response.status_code != 404:
                    raise
                raise UserError(f"Kaggle knows no such competition{self._alike(slug)}", slug) from None
        deadline = found.deadline.replace(tzinfo=UTC) if found.deadline else None
        return CompetitionInfo(
            slug, found.user_has_entered, deadline, found.is_kernels_submissions_only, found.submissions_disabled
        )

    def joined(self, slug: str) -> CompetitionInfo:
        """The same for a competition that one takes part in.

        Raises:
            UserError: no such competition, or its rules are not accepted; the page to do so is named.
        """
        facts = self.facts(slug)
        if not facts.joined:
            raise UserError("you have not joined this competition", slug, _join(facts))
        return facts

    def competition_files(self, slug: str) -> dict[str, int]:
        """The files of a competition: path -> bytes."""
        return self._listed(slug, self.api.competition_list_files, lambda page: page.files)

    def dataset_files(self, slug: str) -> dict[str, int]:
        """The files of a data set: path -> bytes."""
        return self._listed(slug, self.api.dataset_list_files, lambda page: page.dataset_files)

    def open_competition(self, slug: str, name: str = "") -> requests.Response:
        """The archive of a competition, or one of its files, as an open stream.

        Raises:
            UserError: Kaggle refuses.
            requests.RequestException: what asking again may mend.
        """
        from kagglesdk.competitions.types import competition_api_service as types

        request = types.ApiDownloadDataFileRequest() if name else types.ApiDownloadDataFilesRequest()
        request.competition_name = slug
        if name:
            request.file_name = name

        def ask(client: Any) -> requests.Response:
            service = client.competitions.competition_api_client
            return service.download_data_file(request) if name else service.download_data_files(request)

        joining = f"Accept the rules at {_rules(slug)}; a phone number must be verified"
        return self._opened(ask, name or slug, joining)

    def open_dataset(self, slug: str, name: str = "") -> requests.Response:
        """The archive of a data set, or one of its files, as an open stream; raises as `open_competition` does."""
        from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = slug.split("/")
        if name:
            request.file_name = name

        def ask(client: Any) -> requests.Response:
            return client.datasets.dataset_api_client.download_dataset(request)

        return self._opened(ask, name or slug, f"Look at {SITE}/datasets/{slug}")

    def limits(self, slug: str) -> Limits:
        """How many submissions may still be made."""
        with self._asking(slug):
            found = self.api.competition_get_submission_limits(slug)
        known = found.num_today or found.num_total or found.num_allowed_now
        return Limits(found.num_allowed_now if known else None, bool(found.limited_by_total))

    def submissions(self, slug: str, most: int = LISTED) -> list[KaggleSubmission]:
        """The newest submissions of one's team, at least so many of them if there are.

        Kaggle decides how many come in a page, whatever is asked for; its token says whether there are more.
        """
        from kagglesdk.competitions.types.competition_api_service import ApiListSubmissionsRequest

        request, listed = ApiListSubmissionsRequest(), []
        request.competition_name, request.page_size = slug, LISTED
        while True:
            with self._asking(slug), self.api.build_kaggle_client() as client:
                page = client.competitions.competition_api_client.list_submissions(request)
            listed += [_submitted(each) for each in page.submissions or []]
            if not page.next_page_token or len(listed) >= most:
                return listed
            request.page_token = page.next_page_token

    def submission(self, ref: int) -> KaggleSubmission:
        """One submission as it stands now."""
        from kagglesdk.competitions.types.competition_api_service import ApiGetSubmissionRequest

        request = ApiGetSubmissionRequest()
        request.ref = ref
        with self._asking(f"submission {ref}"), self.api.build_kaggle_client() as client:
            return _submitted(client.competitions.competition_api_client.get_submission(request))

    def ref_of(self, slug: str, mark: str) -> int | None:
        """The newest submission whose message holds `mark`; None without one."""
        return max(self._refs(slug, mark), default=None)

    def submit(self, slug: str, file: Path, message: str, mark: str) -> int:
        """Uploads a file and makes it a submission, once: a lost answer is looked up before anything is repeated.

        Args:
            mark: a part of `message` that no submission of another file has.

        Returns:
            The number (ref) of the submission.

        Raises:
            UserError: a failed upload, or a refusal with its reason.
        """
        return self._made(slug, mark, lambda: self.api.competition_submit(str(file), message, slug, quiet=True))

    def submit_notebook(self, slug: str, ref: str, version: int, output: str, message: str, mark: str) -> int:
        """Submits a version of a notebook that has run, once: as `submit`.

        Args:
            ref, version: of the notebook.
            output: the file that it wrote.
        """

        def ask() -> Any:
            self.api.uploaded = True  # there is nothing to upload: from here on it may have been made
            return self.api.competition_submit_code(output, message, slug, ref, version, quiet=True)

        return self._made(slug, mark, ask)

    def _made(self, slug: str, mark: str, ask: Callable[[], Any]) -> int:
        known = self._refs(slug, mark)
        for _ in range(ATTEMPTS):
            self.api.uploaded = False
            try:
                answer = ask()
            except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
                ref = self._arrived(error, slug, mark, known)
            else:
                if not answer.ref:
                    raise UserError(f"Kaggle made no submission of it: {answer.message}", slug, "Run it again")
                ref = answer.ref
            if ref:
                return ref
        raise UserError("Kaggle is too busy to take submissions; nothing was submitted", slug, "Run it again later")

    def _arrived(self, error: Exception, slug: str, mark: str, known: set[int]) -> int | None:
        """The submission that was made although its answer is lost; None if none was made and it may be sent again.

        Raises:
            UserError: none was made and none will be, or it is not known.
        """
        response = error.response if isinstance(error, requests.RequestException) else None
        if not self.api.uploaded or (response is not None and response.status_code < 500):
            with self._asking(slug):
                raise error
        why = http_download.reason(error) if isinstance(error, requests.RequestException) else "an answer without sense"
        warn("submit", f"the answer was lost ({why}); asking whether it arrived")
        # Too busy means not taken; anything else may still be at work, so the list is looked at for a while.
        busy = response is not None and response.status_code == 503
        for seconds in LOOKS[:1] if busy else LOOKS:
            wait(seconds)
            arrived = self._refs(slug, mark) - known
            if arrived:
                return max(arrived)
        if busy:
            return None
        fix = "Run it again in some minutes: Kaggle's list is searched before anything is sent"
        raise UserError("it is not known whether Kaggle took the submission", slug, fix)

    def _refs(self, slug: str, mark: str) -> set[int]:
        return {each.ref for each in self.submissions(slug) if mark in each.message}

    def _listed(self, slug: str, ask: Any, files: Any) -> dict[str, int]:
        listed: dict[str, int] = {}
        token = ""
        while True:
            with self._asking(slug):
                page = ask(slug, page_token=token, page_size=PAGE)
            listed |= {file.name: file.total_bytes for file in files(page) or []}
            token = page.next_page_token
            if not token:
                return listed

    def _opened(self, ask: Callable[[Any], requests.Response], where: str, refused: str) -> requests.Response:
        """Asks Kaggle for an address and opens what stands there."""
        client = self.api.build_kaggle_client()
        # The official client would follow the address itself, and read a JSON file whole to look for errors in it.
        client.http_client()._session.resolve_redirects = lambda *arguments, **options: iter(())
        try:
            answer = ask(client)
        except requests.RequestException as error:
            status = error.response.status_code if error.response is not None else None
            if status is None or status == 429 or status >= 500:
                raise  # asking again may mend it: `transfer` does
            raise explained(error, where, self._source, refused) from None
        return http_download.open_stream(answer.headers["Location"]) if answer.is_redirect else answer

    @property
    def _source(self) -> str:
        return self.credentials.source if self.credentials else "lack of credentials"

    def _asking(self, where: str, refused: str | None = None) -> AbstractContextManager[None]:
        return asking(where, self._source, refused)

    def _alike(self, slug: str) -> str:
        try:
            found = self.api.competitions_list(search=slug.replace("-", " "))
        except requests.RequestException:
            return ""
        known = [each.ref.rstrip("/").rpartition("/")[2] for each in found.competitions or []]
        return nearest(slug, known) or (f"; it has {some(known)}" if known else "")


def _rules(slug: str) -> str:
    return f"{SITE}/competitions/{slug}/rules"


def _submitted(found: Any) -> KaggleSubmission:
    return KaggleSubmission(
        ref=found.ref,
        file=found.file_name,
        message=found.description or "",
        status=found.status.name.lower(),
        public=_number(found.public_score),
        private=_number(found.private_score),
        error=found.error_description or "",
    )


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _join(facts: CompetitionInfo) -> str:
    ended = f" (it ended on {facts.deadline:%Y-%m-%d}; most still take late entries)" if facts.over else ""
    return (
        f"Accept its rules at {facts.rules}{ended}, with a phone number verified at {SITE}/settings, and run it again"
    )
