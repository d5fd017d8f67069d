"""All that medfold says to Kaggle, through the official client, whose traps are disarmed here and nowhere else."""

import functools
import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from medfold import transfer
from medfold.errors import UserError, nearest, some
from medfold.terminal import warn

SITE = "https://www.kaggle.com"
TOKEN_PAGE = f"{SITE}/settings/api"
TOKEN_FIX = f"Create a new token at {TOKEN_PAGE}"
PAGE = 200  # files per listing
LISTED = 40  # submissions per listing: the newest come first
ATTEMPTS = 3  # to submit one file

wait = time.sleep


@dataclass(frozen=True)
class Credentials:
    """Who asks, and where that is written. Never the secret itself."""

    user: str
    source: str


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
        api = _client()
        credentials = _by_token(api) or _by_key(api) or _by_login(api)
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
                    raise self._explained(error, slug, None) from None
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

    def _alike(self, slug: str) -> str:
        try:
            found = self._api.competitions_list(search=slug.replace("-", " "))
        except requests.RequestException:
            return ""
        known = [each.ref.rstrip("/").rpartition("/")[2] for each in found.competitions or []]
        return nearest(slug, known) or (f"; it has {some(known)}" if known else "")

    @contextmanager
    def _asking(self, where: str, refused: str | None = None) -> Iterator[None]:
        """Turns what may go wrong within the block into a UserError.

        Args:
            where: what was asked for.
            refused: what to do about a refusal (403).
        """
        try:
            yield
        except requests.RequestException as error:
            if error.response is not None and "ApiService/" not in error.response.url:
                raise  # storage, not Kaggle itself: for `transfer` to judge
            raise self._explained(error, where, refused) from None
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise UserError(f"an answer of Kaggle that makes no sense ({error})", where, "Try later") from None

    def _explained(self, error: requests.RequestException, where: str, refused: str | None) -> UserError:
        if error.response is None:
            fix = "Check the network; proxies are set by https_proxy, their certificates by REQUESTS_CA_BUNDLE"
            return UserError(f"Kaggle cannot be reached: {transfer.reason(error)}", where, fix)
        status = error.response.status_code
        told = str(error) if "url:" not in str(error) else error.response.reason  # no address: it may be signed
        if status == 401:
            source = self.credentials.source if self.credentials else "no credentials"
            return UserError(f"Kaggle does not accept the credentials from {source}", where, TOKEN_FIX)
        if status == 403:
            return UserError(f"Kaggle refuses: {told}", where, refused)
        if status == 404:
            return UserError(f"Kaggle has no such thing: {told}", where)
        later = "Try again later" if status == 429 or status >= 500 else None
        return UserError(f"Kaggle answers {status}: {told}", where, later)


class _Patience(Retry):
    """Waits as long as the server asks, within limits, and says so."""

    def sleep(self, response: Any = None) -> None:
        asked = self.get_retry_after(response) if response is not None else None
        seconds = min(asked or self.get_backoff_time(), transfer.LONGEST_WAIT)
        if seconds >= 1:
            why = f"answers {response.status}" if response is not None else "does not answer"
            warn("kaggle", f"Kaggle {why}; again in {seconds:.0f} s")
        wait(seconds)


class _TimedAdapter(HTTPAdapter):
    """Never waits forever."""

    def send(self, request: Any, timeout: Any = None, **options: Any) -> requests.Response:
        return super().send(request, timeout=timeout or transfer.TIMEOUT, **options)


def _mount(session: requests.Session) -> None:
    # Every call of Kaggle's is a POST. Those that only read, or whose repetition is harmless, are repeated.
    patience = _Patience(
        total=5,
        connect=2,
        read=2,
        allowed_methods=None,
        status_forcelist=(429, 500, 502, 503, 504),
        backoff_factor=1,
        raise_on_status=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, _TimedAdapter(max_retries=patience))


@functools.cache
def _client_class() -> type:
    """The official client with time-outs and patience.

    `import kaggle` would authenticate at once: over the network, without time-outs, with a page of help on the standard
    output if it fails. So the package's own module is loaded without its `__init__`.
    """
    for name in ("VERBOSE", "VERBOSE_OUTPUT"):
        os.environ.pop(name, None)  # they make the client print its token
    if "kaggle" not in sys.modules:
        package = importlib.util.module_from_spec(importlib.util.find_spec("kaggle"))
        package.__version__ = version("kaggle")
        sys.modules["kaggle"] = package
    try:
        from kaggle.api.kaggle_api_extended import KaggleApi, ResumableUploadResult
    except OSError as error:  # it makes a folder of its own
        fix = "Set KAGGLE_CONFIG_DIR to a folder that can be written"
        raise UserError(f"the Kaggle client cannot start ({error})", None, fix) from None

    class Client(KaggleApi):
        def build_kaggle_client(self) -> Any:
            client = super().build_kaggle_client()
            http = client.http_client()
            http._init_session()
            _mount(http._session)
            # It has no idempotency key: repeated, it would submit twice.
            once = http._get_request_url("competitions.CompetitionApiService", "CreateSubmission")
            http._session.mount(once, _TimedAdapter(max_retries=0))
            return client

        def get_response_processor(self) -> None:
            return None  # the official one prints that a newer version exists

        def upload_complete(self, path: str, url: str, quiet: bool, resume: bool = False) -> Any:
            """The upload itself; the official one has no time-outs, and prints why it failed with the signed address."""
            name = Path(path).name
            with requests.Session() as session, Path(path).open("rb") as file:
                _mount(session)
                try:
                    answer = session.put(url, data=file)
                except requests.RequestException as error:
                    why = transfer.reason(error)
                    raise UserError(f"upload failed: {why}", name, "Nothing was submitted; run it again") from None
            if answer.status_code not in (200, 201):
                why = f"the storage answers {answer.status_code} {answer.reason}"
                raise UserError(f"upload failed: {why}", name, "Nothing was submitted; run it again")
            return ResumableUploadResult.COMPLETE

    return Client


def _client() -> Any:
    api = _client_class()()
    api.args = ["--local"] if os.environ.get("KAGGLE_API_ENVIRONMENT") == "LOCALHOST" else []
    api.config_values = {}
    return api


def _by_token(api: Any) -> Credentials | None:
    """An access token: in a Kaggle notebook, KAGGLE_API_TOKEN (itself or a file), ~/.kaggle/access_token(.txt)."""
    from kagglesdk.kaggle_env import get_access_token_from_env
    from kagglesdk.security.types.oauth_service import IntrospectTokenRequest

    try:
        token, origin = get_access_token_from_env()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the Kaggle token cannot be read ({error})", "KAGGLE_API_TOKEN or ~/.kaggle") from None
    if origin is None:
        return None
    source = "~/.kaggle/access_token" if origin == "access_token" else origin
    if not token or not re.fullmatch(r"[!-~]+", token.strip()):
        state = "a token with blanks or odd characters" if token and token.strip() else "an empty token"
        raise UserError(f"{state} in {source}", None, TOKEN_FIX)
    request = IntrospectTokenRequest()
    request.token = api.config_values[api.CONFIG_NAME_TOKEN] = token.strip()
    kaggle = Kaggle(api, Credentials("", source))
    with kaggle._asking("credentials"), api.build_kaggle_client() as client:
        try:
            known = client.security.oauth_client.introspect_token(request)
        except requests.HTTPError as error:
            if error.response is None or error.response.status_code not in (400, 401, 403, 404):
                raise
            known = None
    if known is None or not known.active or not known.username:
        beside = [name for name in ("KAGGLE_KEY",) if os.environ.get(name)]
        beside += [_shown(path) for path in (Path(api.config),) if path.is_file()]
        rest = f", or remove it to use {some(beside)}" if beside else ""
        raise UserError(f"the token in {source} is expired, revoked or mistyped", None, TOKEN_FIX + rest)
    api.config_values[api.CONFIG_NAME_USER] = known.username
    return Credentials(known.username, f"token in {source}")


def _by_key(api: Any) -> Credentials | None:
    """The older pair of user name and key: kaggle.json, each overridden by KAGGLE_USERNAME and KAGGLE_KEY."""
    path, values, sources = Path(api.config), {}, []
    named = {name: os.environ.get(f"KAGGLE_{name.upper()}", "").strip() for name in ("username", "key")}
    if path.is_file() and not all(named.values()):
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise ValueError("no mapping")
        except (ValueError, OSError) as error:
            raise UserError(f"not readable as kaggle.json ({error})", _shown(path), TOKEN_FIX) from None
        sources = [_shown(path)]
    values = {name: named[name] or str(values.get(name, "")).strip() for name in named}
    sources += [f"KAGGLE_{name.upper()}" for name in named if named[name]]
    if not sources:
        return None
    source = " and ".join(sources)
    for name, value in values.items():
        if not value:
            raise UserError(f"no '{name}' in it", source, TOKEN_FIX)
    if values["key"].startswith("KGAT_"):
        raise UserError(
            "'key' holds a token of the new kind", source, "Put the token into ~/.kaggle/access_token instead"
        )
    api.config_values[api.CONFIG_NAME_USER], api.config_values[api.CONFIG_NAME_KEY] = values["username"], values["key"]
    return Credentials(values["username"], f"key in {source}")


def _by_login(api: Any) -> Credentials | None:
    """What `kaggle auth login` left: ~/.kaggle/credentials.json."""
    from kagglesdk.kaggle_creds import KaggleCredentials

    source, again = KaggleCredentials.DEFAULT_CREDENTIALS_FILE, "Run: kaggle auth login"
    if not Path(source).expanduser().is_file():
        return None
    kaggle = Kaggle(api, Credentials("", source))
    try:
        with api.build_kaggle_client() as client:
            login = KaggleCredentials.load(client=client)
            token = login.get_access_token() if login else None
    except requests.HTTPError as error:
        if error.response is None or error.response.status_code not in (400, 401, 403, 404):
            raise kaggle._explained(error, "credentials", None) from None
        token = None
    except requests.RequestException as error:
        raise kaggle._explained(error, "credentials", None) from None
    except (ValueError, TypeError) as error:
        raise UserError(f"not readable ({error})", source, again) from None
    if not token:
        raise UserError(f"the login in {source} is expired, revoked or malformed", None, again)
    api.config_values[api.CONFIG_NAME_TOKEN] = token
    return Credentials(login.get_username() or "unknown", f"login in {source}")


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


def _shown(path: Path) -> str:
    home = str(Path.home())
    return str(path).replace(home, "~", 1) if str(path).startswith(home) else str(path)
