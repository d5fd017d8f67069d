"""Credentials: all places where the official client looks for them, in its order."""

import errno
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from medfold.errors import UserError
from medfold.kaggle import client
from medfold.kaggle.request_errors import LOGIN_FIX, TOKEN_FIX, explain, kaggle_errors, status_of
from medfold.text import shorten_list

TOKEN_PLACES = "KAGGLE_API_TOKEN or ~/.kaggle/access_token"


@dataclass(frozen=True)
class Credentials:
    """Name of the account and source of the credentials; never the secret itself.

    Args:
        user: name of the account.
        source: where they are from, such as "token in KAGGLE_API_TOKEN".
    """

    user: str
    source: str


def sign_in(api: Any) -> Credentials | None:
    """Finds the credentials that the official client would use, and checks a token with Kaggle.

    Args:
        api: an official client, which receives the credentials.

    Returns:
        Account and source; None if there are no credentials.

    Raises:
        UserError: malformed, expired or wrong credentials; the source is named.
    """
    return _by_token(api) or _by_key(api) or _by_login(api)


def _by_token(api: Any) -> Credentials | None:
    """Signs in by access token.

    It is that of a Kaggle notebook, of KAGGLE_API_TOKEN (a token or a file), or of ~/.kaggle/access_token(.txt).
    """
    try:
        token, token_source = client.find_access_token()
    except OSError as error:  # its message may contain the token, which was taken for a path
        if error.errno != errno.ENAMETOOLONG:
            raise UserError(f"a Kaggle token cannot be read ({error.strerror})", TOKEN_PLACES, TOKEN_FIX) from None
        token, token_source = os.environ["KAGGLE_API_TOKEN"], "KAGGLE_API_TOKEN"
    except UnicodeDecodeError:
        raise UserError("a Kaggle token cannot be read (it is not text)", TOKEN_PLACES, TOKEN_FIX) from None
    if token_source is None:
        return None
    source = "~/.kaggle/access_token" if token_source == "access_token" else token_source
    if not token or not re.fullmatch(r"[!-~]+", token.strip()):
        problem = "a token with spaces or invalid characters" if token and token.strip() else "an empty token"
        raise UserError(f"{problem} in {source}", None, TOKEN_FIX)
    api.config_values[api.CONFIG_NAME_TOKEN] = token.strip()
    with kaggle_errors("credentials", f"token in {source}"):
        try:
            token_info = client.introspect_token(api, token.strip())
        except requests.HTTPError as error:
            if status_of(error) not in (400, 401, 403, 404):
                raise
            token_info = None
    if token_info is None or not token_info.active or not token_info.username:
        candidates = {
            "KAGGLE_KEY": os.environ.get("KAGGLE_KEY"),
            _abbreviated(Path(api.config)): Path(api.config).is_file(),
        }
        other_sources = [name for name, exists in candidates.items() if exists]
        alternative = f"; or remove the old one, to use {shorten_list(other_sources)}" if other_sources else ""
        raise UserError(f"the token in {source} is expired, revoked or mistyped", None, TOKEN_FIX + alternative)
    api.config_values[api.CONFIG_NAME_USER] = token_info.username
    return Credentials(token_info.username, f"token in {source}")


def _by_key(api: Any) -> Credentials | None:
    """Signs in by the older user name and key: kaggle.json, overridden by KAGGLE_USERNAME and KAGGLE_KEY."""
    path = Path(api.config)
    values = {}
    sources = []
    from_environment = {name: os.environ.get(f"KAGGLE_{name.upper()}", "").strip() for name in ("username", "key")}
    if path.is_file() and not all(from_environment.values()):
        try:
            values = json.loads(path.read_bytes())  # in UTF-8, with a BOM or not, or in UTF-16
            if not isinstance(values, dict):
                raise ValueError("not a mapping")
        except (ValueError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not JSON with username and key"
            raise UserError(f"not readable as kaggle.json: {reason}", _abbreviated(path), TOKEN_FIX) from None
        sources = [_abbreviated(path)]
    values = {name: from_environment[name] or str(values.get(name, "")).strip() for name in from_environment}
    sources += [f"KAGGLE_{name.upper()}" for name in from_environment if from_environment[name]]
    if not sources:
        return None
    source = " and ".join(sources)
    for name, value in values.items():
        if not value:
            raise UserError(f"'{name}' is missing", source, TOKEN_FIX)
    if values["key"].startswith("KGAT_"):
        raise UserError("'key' holds an API token", source, "Put the token into ~/.kaggle/access_token instead")
    api.config_values[api.CONFIG_NAME_USER], api.config_values[api.CONFIG_NAME_KEY] = values["username"], values["key"]
    return Credentials(values["username"], f"key in {source}")


def _by_login(api: Any) -> Credentials | None:
    """Signs in by the login that `kaggle auth login` saved: ~/.kaggle/credentials.json."""
    source = client.login_file()
    if not Path(source).expanduser().is_file():
        return None
    try:
        login = client.read_login(api)
    except requests.HTTPError as error:
        if status_of(error) not in (400, 401, 403, 404):
            raise explain(error, "credentials", f"login in {source}") from None
        login = None
    except requests.RequestException as error:
        raise explain(error, "credentials", f"login in {source}") from None
    except (ValueError, TypeError, AttributeError, KeyError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not what kaggle auth login writes"
        raise UserError(f"not readable: {reason}", source, LOGIN_FIX) from None
    if not login:
        raise UserError(f"the login in {source} is expired, revoked or malformed", None, LOGIN_FIX)
    api.config_values[api.CONFIG_NAME_TOKEN], user = login
    return Credentials(user, f"login in {source}")


def _abbreviated(path: Path) -> str:
    """Returns a path with ~ for the home folder."""
    home = str(Path.home())
    return str(path).replace(home, "~", 1) if str(path).startswith(home) else str(path)
