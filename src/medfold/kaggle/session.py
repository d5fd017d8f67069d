"""A signed-in session with Kaggle, which converts errors to `UserError`s and sends nothing twice."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import requests

from medfold.errors import UnavailableError, UserError
from medfold.kaggle import client
from medfold.kaggle.client import TOKEN_PAGE, official_client
from medfold.kaggle.credentials import Credentials, sign_in
from medfold.kaggle.request_errors import REQUEST_ERRORS, advice, explain, kaggle_errors, reason_of, status_of
from medfold.system import waiting
from medfold.system.hashes import fingerprint
from medfold.terminal.console import warn

MAX_NAME_LENGTH = 50  # letters of the name of a data set or notebook
SEARCH_DELAY_SECONDS = (2, 4, 8, 15, 30)  # before each search for the result of a request whose answer was lost


@dataclass(frozen=True)
class ContentVersion:
    """A version of a data set or of a notebook.

    Args:
        full_name: owner/name of the notebook or data set.
        version: number of the version, from 1.
        link: URL of the page of the notebook or data set.
    """

    full_name: str
    version: int
    link: str

    def content(self) -> dict[str, Any]:
        """Returns the values for JSON; `ref` is Kaggle's word for the full name."""
        return {"ref": self.full_name, "version": self.version, "link": self.link}


class KaggleSession:
    """A session with Kaggle.

    Args:
        api: official client of Kaggle, with credentials where there are some.
        credentials: account and source; None for a session without an account.

    Example:
        `KaggleCompetitions(KaggleSession.connect()).info("histology").deadline`
    """

    def __init__(self, api: Any, credentials: Credentials | None):
        self.api, self.credentials = api, credentials

    @classmethod
    def connect(cls, anonymous: bool = False) -> "KaggleSession":
        """Finds the credentials that the official client would use, and checks a token with Kaggle.

        Args:
            anonymous: continue without an account if there are no credentials: public data sets need none. Defaults to
                False.

        Raises:
            UnavailableError: no credentials.
            UserError: malformed, expired or wrong credentials; the source is named.
        """
        api = official_client()
        credentials = sign_in(api)
        if credentials is None and not anonymous:
            fix = f"Create a token at {TOKEN_PAGE} and put it into ~/.kaggle/access_token or KAGGLE_API_TOKEN"
            raise UnavailableError("no Kaggle credentials found", None, fix)
        return cls(api, credentials)

    def renew(self) -> None:
        """Signs in again, since the credentials that `connect` found expire.

        Raises:
            UserError: as `connect`.
        """
        fresh = KaggleSession.connect()
        self.api, self.credentials = fresh.api, fresh.credentials

    @property
    def user(self) -> str:
        """Name of the account, which must exist."""
        return self.credentials.user

    @property
    def source(self) -> str:
        """Where the credentials were found, for messages; '' without credentials."""
        return self.credentials.source if self.credentials else ""

    @property
    def account(self) -> str:
        """Account and source as text, such as "alice, by the token in KAGGLE_API_TOKEN"."""
        return f"{self.user}, by the {self.source}"

    def errors(self, where: str, if_refused: str | None = None) -> AbstractContextManager[None]:
        """Converts the errors of requests inside a `with` block into UserErrors.

        Args:
            where: name of what was requested, for messages.
            if_refused: advice for a refusal (403), for the error message. Defaults to none.
        """
        return kaggle_errors(where, self.source, if_refused)

    def call(self, where: str, service: str, method: str, /, if_refused: str | None = None, **fields: Any) -> Any:
        """Sends one request and returns Kaggle's answer.

        Args:
            where: name of what is requested, for messages.
            service: blobs, competitions, datasets or kernels.
            method: name of a method of this service in kagglesdk.
            if_refused: advice for a refusal (403), for the error message. Defaults to none.
            **fields: fields of the request, by name.

        Raises:
            UserError: no answer, or an error.
        """
        with self.errors(where, if_refused):
            return client.call(self.api, service, method, **fields)

    def find(self, where: str, service: str, method: str, /, **fields: Any) -> Any:
        """Sends one request, like `call`; returns None if the object does not exist.

        Instead of "not found", Kaggle may answer that access is denied.
        """
        with self.errors(where):
            try:
                return client.call(self.api, service, method, **fields)
            except requests.HTTPError as error:
                if status_of(error) in (403, 404):
                    return None
                raise

    def pages(
        self, where: str, ask: Callable[..., Any], *arguments: Any, first_token: str | None, **options: Any
    ) -> Iterator[Any]:
        """Yields all pages of a listing.

        Args:
            where: name of what is listed, for messages.
            ask: method of the official client that lists one page.
            *arguments: positional arguments of `ask`.
            first_token: token of the first page.
            **options: keyword arguments of `ask`, without the page token.

        Raises:
            UserError: no answer, or an error.
        """
        token = first_token
        while True:
            with self.errors(where):
                page = ask(*arguments, page_token=token, **options)
            yield page
            token = page.next_page_token
            if not token:
                return

    def send_once(self, where: str, send: Callable[[], Any], find: Callable[[], Any]) -> tuple[Any, Any]:
        """Sends a request that must not be repeated; if its answer is lost, searches for its result.

        Args:
            where: name of what is sent, for messages.
            send: sends the request and returns the answer.
            find: returns the result of the request; None if there is none.

        Returns:
            The answer and None, or None and what `find` returned.

        Raises:
            UserError: a refusal; or the answer was lost, and no result was found.
        """
        try:
            return send(), None
        except REQUEST_ERRORS as error:
            status = status_of(error)
            if status is not None and (status < 500 or status == 503):
                refusal = explain(error, where, self.source)
                raise UserError(refusal.what, where, advice(str(error)) or refusal.fix) from None
            result = search(error, find)
        if result is None:
            fix = "Run the same command again in some minutes: Kaggle is searched before anything is sent"
            raise UserError("unknown whether Kaggle received the request", where, fix)
        return None, result


def search(
    error: Exception, find: Callable[[], Any], delays: tuple[float, ...] = SEARCH_DELAY_SECONDS, topic: str = "kaggle"
) -> Any:
    """Searches for the result of a request whose answer was lost; returns None if it is not found.

    Args:
        error: exception by which the answer was lost.
        find: returns the result of the request; None if there is none.
        delays: seconds to wait before each search. Defaults to five searches within a minute.
        topic: first word of the warning. Defaults to kaggle.
    """
    warn(topic, f"the answer was lost ({reason_of(error)}); checking whether the request arrived")
    for seconds in delays:
        waiting.pause(seconds)
        result = find()
        if result is not None:
            return result
    return None


def kaggle_name(*words: str) -> str:
    """Returns a name for a data set or notebook: the words in lower case, joined by '-'.

    It ends with a hash if it would be too long, or if characters that Kaggle does not accept were replaced.

    Example:
        `kaggle_name("medfold", "x-rays")` is "medfold-x-rays"; `kaggle_name("medfold", "x_rays")` is "medfold-x-rays-"
        and six digits.
    """
    text = "-".join(
        "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in word) for word in words
    )
    name = "-".join(part for part in text.lower().split("-") if part)
    if len(name) <= MAX_NAME_LENGTH and name == "-".join(words):
        return name
    return f"{name[: MAX_NAME_LENGTH - 7].rstrip('-')}-{fingerprint(words, 6)}"
