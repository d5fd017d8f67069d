"""All that medfold says to Kaggle, through the official client, whose traps are disarmed here and nowhere else."""

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from medfold import transfer
from medfold.errors import UserError, nearest, some
from medfold.kaggle_api.client import SITE, TOKEN_PAGE, asking, explained, official_client
from medfold.kaggle_api.credentials import Credentials, sign_in
from medfold.terminal import warn

__all__ = ["SITE", "Credentials", "Facts", "Kaggle", "Submitted", "slug_of"]
PAGE = 200  # files per listing
LISTED = 40  # submissions per listing: the newest come first
ATTEMPTS = 3  # to submit one file

wait = time.sleep


@dataclass(frozen=True)
class Facts:
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
        return f"{SITE}/competitions/{self.slug}/rules"


@dataclass(frozen=True)
class Submitted:
    """One submission as Kaggle lists it. Scores are None where there is none, or none to see."""

    ref: int
    file: str
    message: str
    status: str  # pending, complete, error
    public: float | None
    private: float | None
    error: str


def slug_of(text: str, folder: str) -> str:
    """The slug in what people paste: 'https://www.kaggle.com/competitions/x/data', 'kaggle.com/c/x', or plain 'x'.

    Args:
        text: address or slug.
        folder: 'competitions' (one part) or 'datasets' (owner/name).

    Raises:
        ValueError: neither.
    """
    parts = 2 if folder == "datasets" else 1
    path = re.sub(r"^(https?://)?(www\.)?kaggle\.com/", "", text.strip()).split("?")[0].split("#")[0].strip("/")
    words = path.split("/")
    if words[0] in ("competitions", "c", "datasets", "d"):
        words = words[1 : 1 + parts]
    if len(words) != parts or not all(re.fullmatch(r"[A-Za-z0-9_-]+", word) for word in words):
        expected = "owner/name" if parts == 2 else "the last part of the competition's address"
        raise ValueError(f"expected a slug ({expected}) or a Kaggle address")
    return "/".join(words)


class Kaggle:
    """A session with Kaggle."""

    def __init__(self, api: Any, credentials: Credentials | None):
        self._api, self.credentials = api, credentials

    @classmethod
    def connect(cls, anonymous: bool = False) -> "Kaggle":
        """Finds the credentials that the official client would use, and asks Kaggle whether a token is good.

        Args:
            anonymous: go on without any if there are none (public data sets need none).

        Raises:
            UserError: no credentials, or malformed, expired or wrong ones; the source is named.
        """
        api = official_client()
        credentials = sign_in(api)
        if credentials is None and not anonymous:
            fix = f"Create a token at {TOKEN_PAGE} and put it into ~/.kaggle/access_token or KAGGLE_API_TOKEN"
            raise UserError("no Kaggle credentials found", None, fix)
        return cls(api, credentials)

    def facts(self, slug: str) -> Facts:
        """What Kaggle tells of a competition.

        Raises:
            UserError: there is none of that name; the nearest one is given.
        """
        from kagglesdk.competitions.types.competition_api_service import ApiGetCompetitionRequest

        request = ApiGetCompetitionRequest()
        request.competition_name = slug
        with self._asking(slug), self._api.build_kaggle_client() as client:
            try:
                found = client.competitions.competition_api_client.get_competition(request)
            except requests.HTTPError as error:
                if error.response is None or error.response.status_code not in (403, 404):
                    raise
                raise UserError(f"Kaggle knows no such competition{self._alike(slug)}", slug) from None
        deadline = found.deadline.replace(tzinfo=UTC) if found.deadline else None
        return Facts(
            slug, found.user_has_entered, deadline, found.is_kernels_submissions_only, found.submissions_disabled
        )

    def joined(self, slug: str) -> Facts:
        """The same for a competition that one takes part in.

        Raises:
            UserError: no such competition, or its rules are not accepted; the page to do so is named.
        """
        facts = self.facts(slug)
        if not facts.joined:
            raise UserError("you have not joined this competition", slug, _join(facts))
        return facts

    def competition_names(self, slug: str) -> Iterator[str]:
        """The files of a competition, as paths."""
        return self._pages(slug, self._api.competition_list_files, lambda page: page.files)

    def dataset_names(self, slug: str) -> Iterator[str]:
        """The files of a data set, as paths."""
        return self._pages(slug, self._api.dataset_list_files, lambda page: page.dataset_files)

    def open_competition(self, slug: str, name: str = "") -> requests.Response:
        """The archive of a competition, or one of its files, as an open stream."""
        from kagglesdk.competitions.types import competition_api_service as types

        client = self._api.build_kaggle_client().competitions.competition_api_client
        request = types.ApiDownloadDataFileRequest() if name else types.ApiDownloadDataFilesRequest()
        request.competition_name = slug
        if name:
            request.file_name = name
        joining = f"Accept the rules at {SITE}/competitions/{slug}/rules; a phone number must be verified"
        with self._asking(name or slug, joining):
            return client.download_data_file(request) if name else client.download_data_files(request)

    def open_dataset(self, slug: str, name: str = "") -> requests.Response:
        """The archive of a data set, or one of its files, as an open stream."""
        from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = slug.split("/")
        if name:
            request.file_name = name
        page = f"Look at {SITE}/datasets/{slug}"
        with self._asking(name or slug, page):
            return self._api.build_kaggle_client().datasets.dataset_api_client.download_dataset(request)

    def left_today(self, slug: str) -> int:
        """How many submissions may still be made today (UTC)."""
        with self._asking(slug):
            return self._api.competition_get_submission_limits(slug).num_allowed_now

    def submissions(self, slug: str, pages: int = 1) -> list[Submitted]:
        """The newest submissions of one's team."""
        listed: list[Submitted] = []
        for page in range(1, pages + 1):
            with self._asking(slug):
                found = self._api.competition_submissions(slug, page_number=page, page_size=LISTED) or []
            listed += [_submitted(each) for each in found]
            if len(found) < LISTED:
                break
        return listed

    def submission(self, ref: int) -> Submitted:
        """One submission as it stands now."""
        from kagglesdk.competitions.types.competition_api_service import ApiGetSubmissionRequest

        request = ApiGetSubmissionRequest()
        request.ref = ref
        with self._asking(f"submission {ref}"), self._api.build_kaggle_client() as client:
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
        known = self._refs(slug, mark)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._api.competition_submit(str(file), message, slug, quiet=True)
            except requests.RequestException as error:
                if error.response is not None and error.response.status_code < 500:
                    raise explained(error, slug, self._source) from None
                warn("submit", f"the answer was lost ({transfer.reason(error)}); asking whether it arrived")
                wait(transfer.backoff(attempt))
                arrived = self._refs(slug, mark) - known
                if arrived:
                    return max(arrived)
            else:
                if not answer.ref:
                    raise UserError(f"Kaggle made no submission of it: {answer.message}", slug, "Run it again")
                return answer.ref
        raise UserError("Kaggle does not answer; nothing was submitted", slug, "Run it again later")

    def _refs(self, slug: str, mark: str) -> set[int]:
        return {each.ref for each in self.submissions(slug) if mark in each.message}

    def _pages(self, slug: str, ask: Any, files: Any) -> Iterator[str]:
        token = ""
        while True:
            with self._asking(slug):
                page = ask(slug, page_token=token, page_size=PAGE)
            yield from (file.name for file in files(page) or [])
            token = page.next_page_token
            if not token:
                return

    @property
    def _source(self) -> str:
        return self.credentials.source if self.credentials else "lack of credentials"

    def _asking(self, where: str, refused: str | None = None) -> AbstractContextManager[None]:
        return asking(where, self._source, refused)

    def _alike(self, slug: str) -> str:
        try:
            found = self._api.competitions_list(search=slug.replace("-", " "))
        except requests.RequestException:
            return ""
        known = [each.ref.rstrip("/").rpartition("/")[2] for each in found.competitions or []]
        return nearest(slug, known) or (f"; it has {some(known)}" if known else "")


def _submitted(found: Any) -> Submitted:
    return Submitted(
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
        return float(text) if text else None
    except ValueError:
        return None


def _join(facts: Facts) -> str:
    ended = f" (it ended on {facts.deadline:%Y-%m-%d}; most still take late entries)" if facts.over else ""
    return (
        f"Accept its rules at {facts.rules}{ended}, with a phone number verified at {SITE}/settings, and run it again"
    )
