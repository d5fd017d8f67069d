"""Competitions on Kaggle: details, limits and the user's submissions."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from medfold.errors import UserError
from medfold.kaggle import client
from medfold.kaggle.client import SITE
from medfold.kaggle.request_errors import REQUEST_ERRORS, status_of
from medfold.kaggle.session import SEARCH_DELAY_SECONDS, KaggleSession, search
from medfold.text import did_you_mean, shorten_list

PAGE_SIZE = 40  # submissions per request; the newest come first
MAX_ATTEMPTS = 3  # to submit one file
LONG_SEARCH_DELAY_SECONDS = (*SEARCH_DELAY_SECONDS, 30)  # a submission may take longer to be listed


@dataclass(frozen=True)
class CompetitionInfo:
    """Details of a competition.

    Args:
        slug: name of the competition in URLs.
        has_joined: whether the user takes part.
        deadline: end of the competition in UTC; None if it has none.
        notebooks_only: whether the competition takes notebooks and no files.
        submissions_disabled: whether the competition takes no submissions any more.
    """

    slug: str
    has_joined: bool
    deadline: datetime | None
    notebooks_only: bool
    submissions_disabled: bool

    @property
    def has_ended(self) -> bool:
        """True if the deadline has passed; late submissions may still be scored."""
        return self.deadline is not None and self.deadline < datetime.now(UTC)

    @property
    def rules(self) -> str:
        """URL of the rules."""
        return rules_page(self.slug)


@dataclass(frozen=True)
class SubmissionLimits:
    """The number of submissions that are left.

    Args:
        num_left: submissions left today (UTC); None if Kaggle does not report it, as before the first submission.
        counts_all_time: True if the limit counts all submissions ever made, not only today's.
    """

    num_left: int | None
    counts_all_time: bool


@dataclass(frozen=True)
class KaggleSubmission:
    """A submission as Kaggle lists it.

    Args:
        ref: number of the submission on Kaggle.
        file: name of the submitted file.
        message: description that was sent with the file.
        kaggle_status: state of the scoring: pending, complete or error.
        public: public score; None if there is none or it is hidden.
        private: private score; None if there is none or it is hidden.
        error: reason of a refusal, or "".
    """

    ref: int
    file: str
    message: str
    kaggle_status: str
    public: float | None
    private: float | None
    error: str


class KaggleCompetitions:
    """Competitions, and the user's submissions to them.

    Args:
        session: connection to Kaggle, with credentials.
    """

    def __init__(self, session: KaggleSession):
        self.session = session

    def info(self, slug: str) -> CompetitionInfo:
        """Returns the details of a competition.

        Raises:
            UserError: there is no competition of that name; the nearest name is suggested.
        """
        if_refused = f"Accept the rules at {rules_page(slug)}; a phone number must be verified"
        with self.session.errors(slug, if_refused):
            try:
                answer = client.call(self.session.api, "competitions", "get_competition", competition_name=slug)
            except requests.HTTPError as error:
                if status_of(error) != 404:
                    raise
                fix = f"Copy the name from the address: {SITE}/competitions/<name>"
                raise UserError(f"no such competition on Kaggle{self._similar(slug)}", slug, fix) from None
        deadline = answer.deadline.replace(tzinfo=UTC) if answer.deadline else None
        return CompetitionInfo(
            slug, answer.user_has_entered, deadline, answer.is_kernels_submissions_only, answer.submissions_disabled
        )

    def joined(self, slug: str) -> CompetitionInfo:
        """Returns the details of a competition that the user takes part in.

        Raises:
            UserError: no such competition, or its rules are not accepted; the page of the rules is named.
        """
        info = self.info(slug)
        if not info.has_joined:
            ended = f" (it ended on {info.deadline:%Y-%m-%d}; most still take late entries)" if info.has_ended else ""
            fix = f"Accept its rules at {info.rules}{ended}, with a phone number verified at {SITE}/settings"
            raise UserError("you have not joined this competition", slug, f"{fix}, and run the same command again")
        return info

    def limits(self, slug: str) -> SubmissionLimits:
        """Returns how many submissions are left."""
        with self.session.errors(slug):
            answer = self.session.api.competition_get_submission_limits(slug)
        known = answer.num_today or answer.num_total or answer.num_allowed_now
        return SubmissionLimits(answer.num_allowed_now if known else None, bool(answer.limited_by_total))

    def submissions(self, slug: str, min_count: int = PAGE_SIZE) -> list[KaggleSubmission]:
        """Lists the newest submissions of the user's team, newest first.

        Kaggle decides the size of a page, whatever is requested; a token marks that there are more.

        Args:
            slug: name of the competition in URLs.
            min_count: number of submissions to list, if there are that many. Defaults to a page.
        """
        fields: dict[str, Any] = {"competition_name": slug, "page_size": PAGE_SIZE}
        listed: list[KaggleSubmission] = []
        while True:
            page = self.session.call(slug, "competitions", "list_submissions", **fields)
            listed += [_submission(answer) for answer in page.submissions or []]
            if not page.next_page_token or len(listed) >= min_count:
                return listed
            fields["page_token"] = page.next_page_token

    def submission(self, ref: int) -> KaggleSubmission:
        """Returns the current state of a submission."""
        with self.session.errors(f"submission {ref}"):
            return _submission(client.call(self.session.api, "competitions", "get_submission", ref=ref))

    def find_submission(self, slug: str, content_id: str) -> int | None:
        """Returns the number of the newest submission whose message contains the content id; None without one."""
        return max(self._refs(slug, content_id), default=None)

    def submit(self, slug: str, file: Path, message: str, content_id: str) -> int:
        """Uploads a file and submits it, once: if an answer is lost, the list of submissions is searched.

        Args:
            slug: name of the competition in URLs.
            file: path of the submission to upload.
            message: description to send with the submission.
            content_id: a part of the message that no submission of another file has.

        Returns:
            Number (ref) of the submission.

        Raises:
            UserError: a failed upload, or a refusal with its reason.
        """
        api = self.session.api
        return self._submit_once(slug, content_id, lambda: api.competition_submit(str(file), message, slug, quiet=True))

    def submit_notebook(
        self, slug: str, notebook: str, version: int, output: str, message: str, content_id: str
    ) -> int:
        """Submits an output file of a version of a notebook, once: as `submit`.

        Args:
            slug: name of the competition in URLs.
            notebook: its owner/name.
            version: number of the version of the notebook.
            output: name of the output file to submit.
            message: description to send with the submission.
            content_id: a part of the message that no submission of another file has.

        Returns:
            The number of the submission on Kaggle.
        """
        api = self.session.api

        def send() -> Any:
            api.uploaded = True  # there is nothing to upload: from now on a submission may have been made
            return api.competition_submit_code(output, message, slug, notebook, version, quiet=True)

        return self._submit_once(slug, content_id, send)

    def _submit_once(self, slug: str, content_id: str, send: Callable[[], Any]) -> int:
        """Sends a submission, and after a lost answer searches for it before it is sent again; returns its number."""
        before = self._refs(slug, content_id)
        for _ in range(MAX_ATTEMPTS):
            self.session.api.uploaded = False
            try:
                answer = send()
            except REQUEST_ERRORS as error:
                ref = self._search(error, slug, content_id, before)
            else:
                if not answer.ref:
                    raise UserError(f"no submission was made: {answer.message}", slug, "Run the same command again")
                ref = answer.ref
            if ref:
                return ref
        raise UserError(
            "Kaggle is too busy to take submissions; nothing was submitted", slug, "Run the same command again later"
        )

    def _search(self, error: Exception, slug: str, content_id: str, before: set[int]) -> int | None:
        """Searches for the submission whose answer was lost; None if there is none, and it may be sent again.

        Raises:
            UserError: no submission was made, and sending it again would not help; or it is unknown whether one was
                made.
        """
        status = status_of(error)
        if not self.session.api.uploaded or (status is not None and status < 500):
            with self.session.errors(slug):
                raise error
        # Too busy (503) means not accepted; else Kaggle may still process it, so the list is searched repeatedly.
        busy = status == 503
        delays = LONG_SEARCH_DELAY_SECONDS[:1] if busy else LONG_SEARCH_DELAY_SECONDS
        ref = search(error, lambda: max(self._refs(slug, content_id) - before, default=None), delays, "submit")
        if ref is None and not busy:
            fix = "Run the same command again in some minutes: Kaggle's list is searched before anything is sent"
            raise UserError("unknown whether Kaggle received the submission", slug, fix)
        return ref

    def _refs(self, slug: str, content_id: str) -> set[int]:
        return {entry.ref for entry in self.submissions(slug) if content_id in entry.message}

    def _similar(self, slug: str) -> str:
        try:
            page = self.session.api.competitions_list(search=slug.replace("-", " "))
        except requests.RequestException:
            return ""
        slugs = [entry.ref.rstrip("/").rpartition("/")[2] for entry in page.competitions or []]
        return did_you_mean(slug, slugs) or (f"; similar: {shorten_list(slugs)}" if slugs else "")


def rules_page(slug: str) -> str:
    """Returns the URL of a competition's rules."""
    return f"{SITE}/competitions/{slug}/rules"


def _submission(answer: Any) -> KaggleSubmission:
    return KaggleSubmission(
        ref=answer.ref,
        file=answer.file_name,
        message=answer.description or "",
        kaggle_status=answer.status.name.lower(),
        public=_number(answer.public_score),
        private=_number(answer.private_score),
        error=answer.error_description or "",
    )


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
