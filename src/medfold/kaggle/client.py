"""The official Kaggle client: its loading, and its requests.

Only this module and `retrying_client` use internals of the packages `kaggle` and `kagglesdk`.
"""

import functools
import importlib
import importlib.util
import json
import logging
import os
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import requests

from medfold.errors import UserError
from medfold.system import http_download
from medfold.system.http_session import check_stays_encrypted
from medfold.terminal.command_text import setup_command

SITE = "https://www.kaggle.com"
TOKEN_PAGE = f"{SITE}/settings/api"

# Names of the modules and clients of kagglesdk's services.
_SERVICES = {
    "blobs": "blob_api",
    "competitions": "competition_api",
    "datasets": "dataset_api",
    "kernels": "kernels_api",
}

# It logs retried requests with their URLs, which may be signed.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


def official_client() -> Any:
    """Returns a `KaggleApi` without credentials."""
    api = _client_class()()
    api.args = ["--local"] if os.environ.get("KAGGLE_API_ENVIRONMENT") == "LOCALHOST" else []
    api.config_values = {}
    return api


def call(api: Any, service: str, method: str, /, **fields: Any) -> Any:
    """Sends one request and returns Kaggle's answer.

    Args:
        api: official client of Kaggle.
        service: blobs, competitions, datasets or kernels.
        method: name of a method of this service in kagglesdk.
        fields: fields of the request, by name.

    Raises:
        requests.RequestException: no answer, or an error.

    Example:
        `call(api, "datasets", "get_dataset", owner_slug="alice", dataset_slug="x-rays").is_private`
    """
    request = _request(service, method, fields)
    with api.build_kaggle_client() as client:
        return getattr(_service(client, service), method)(request)


def open_download(api: Any, service: str, method: str, /, **fields: Any) -> requests.Response:
    """Opens the stream of a file that Kaggle sends directly or through a redirect.

    Args:
        api: official client of Kaggle.
        service: competitions, datasets or kernels.
        method: name of a method of this service in kagglesdk that returns a file.
        **fields: fields of the request, by name.

    Raises:
        requests.RequestException: no answer, or an error.
    """
    request = _request(service, method, fields)
    client = api.build_kaggle_client()
    # The official client would follow the redirect itself, and read a whole JSON file to search it for errors.
    client.http_client()._session.resolve_redirects = lambda *arguments, **options: iter(())
    answer = getattr(_service(client, service), method)(request)
    if not answer.is_redirect:
        return answer
    check_stays_encrypted(answer.url, answer.headers["Location"])
    return http_download.open_stream(answer.headers["Location"])


def start_dataset_upload(api: Any, path: Path) -> Any:
    """Requests a URL for uploading a file of a data set.

    Returns:
        The answer: `create_url` and `token`.
    """
    return call(
        api,
        "blobs",
        "start_blob_upload",
        type=_types("blobs").ApiBlobType.DATASET,
        name=path.name,
        content_length=path.stat().st_size,
        last_modified_epoch_seconds=int(path.stat().st_mtime),
    )


def new_object(service: str, name: str, /, **fields: Any) -> Any:
    """Creates a part of a request, such as `ApiDatasetNewFile`, with its fields set."""
    instance = getattr(_types(service), name)()
    for field, value in fields.items():
        setattr(instance, field, value)
    return instance


def find_access_token() -> tuple[str | None, str | None]:
    """Returns the access token that the official client would use, and its source; None and None without one.

    Raises:
        OSError, UnicodeDecodeError: a file that cannot be read; their messages may contain the token.
    """
    from kagglesdk.kaggle_env import get_access_token_from_env

    return get_access_token_from_env()


def introspect_token(api: Any, token: str) -> Any:
    """Requests the details of an access token from Kaggle: `active`, `username`.

    Raises:
        requests.RequestException: no answer, or an error.
    """
    from kagglesdk.security.types.oauth_service import IntrospectTokenRequest

    request = IntrospectTokenRequest()
    request.token = token
    with api.build_kaggle_client() as client:
        return client.security.oauth_client.introspect_token(request)


def login_file() -> str:
    """Returns the path where `kaggle auth login` saves its login; it begins with ~."""
    from kagglesdk.kaggle_creds import KaggleCredentials

    return KaggleCredentials.DEFAULT_CREDENTIALS_FILE


def read_login(api: Any) -> tuple[str, str] | None:
    """Reads access token and user name from `login_file()`, and renews an expired token; None if there is no login.

    Raises:
        requests.RequestException: no answer, or an error.
        ValueError, TypeError, AttributeError, KeyError, OSError: an unreadable file.
    """
    from kagglesdk.kaggle_creds import KaggleCredentials

    expires = json.loads(Path(login_file()).expanduser().read_bytes()).get("access_token_expiration")
    with api.build_kaggle_client() as client:
        login = KaggleCredentials.load(client=client)
        # The official client uses a token for half an hour after it has expired.
        if login and expires and datetime.fromisoformat(expires) <= datetime.now(UTC):
            login.refresh_access_token()
        token = login.get_access_token() if login else None
    return (token, login.get_username() or "unknown") if token else None


def _types(service: str) -> ModuleType:
    return importlib.import_module(f"kagglesdk.{service}.types.{_SERVICES[service]}_service")


def _service(client: Any, service: str) -> Any:
    return getattr(getattr(client, service), f"{_SERVICES[service]}_client")


def _request(service: str, method: str, fields: dict[str, Any]) -> Any:
    """Creates the request of a method: get_dataset -> ApiGetDatasetRequest."""
    return new_object(service, f"Api{method.title().replace('_', '')}Request", **fields)


@functools.cache
def _client_class() -> type:
    """Returns the official client's class with time-outs and retries added.

    `import kaggle` would authenticate at once: over the network, without time-outs, with a page of help on the standard
    output if it fails. So the package's module is loaded without its `__init__`.
    """
    for name in ("VERBOSE", "VERBOSE_OUTPUT"):
        os.environ.pop(name, None)  # with these the client prints its token
    try:
        if "kaggle" not in sys.modules:
            specification = importlib.util.find_spec("kaggle")
            if specification is None:
                raise ModuleNotFoundError("No module named 'kaggle'")
            package = importlib.util.module_from_spec(specification)
            package.__version__ = version("kaggle")
            sys.modules["kaggle"] = package
        from medfold.kaggle.retrying_client import Client
    except ImportError as error:
        fix = f"Run: {setup_command()}, or pip install -r requirements.txt"
        raise UserError(f"the Kaggle client cannot be imported ({error})", None, fix) from None
    except OSError as error:  # it creates a configuration folder
        fix = "Set KAGGLE_CONFIG_DIR to a writable folder"
        raise UserError(f"the Kaggle client cannot start ({error})", None, fix) from None
    return Client
