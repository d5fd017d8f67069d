"""Lists and opens the files of competitions and data sets."""

from collections.abc import Callable
from typing import Any

import requests

from medfold.kaggle import client
from medfold.kaggle.client import SITE
from medfold.kaggle.competitions import rules_page
from medfold.kaggle.request_errors import explain, status_of
from medfold.kaggle.session import KaggleSession

PAGE_SIZE = 200  # files per listing


def competition_files(session: KaggleSession, slug: str) -> dict[str, int]:
    """Lists the files of a competition: path -> bytes."""
    return _list_files(session, slug, session.api.competition_list_files, lambda page: page.files)


def dataset_files(session: KaggleSession, slug: str) -> dict[str, int]:
    """Lists the files of a data set: path -> bytes.

    Args:
        session: connection to Kaggle; public data sets need no credentials.
        slug: owner/name of the data set.
    """
    return _list_files(session, slug, session.api.dataset_list_files, lambda page: page.dataset_files)


def request_competition_archive(session: KaggleSession, slug: str, name: str = "") -> requests.Response:
    """Opens the stream of a competition's archive, or of one of its files.

    Args:
        session: connection to Kaggle, with credentials.
        slug: name of the competition in URLs.
        name: path of the file. Defaults to the archive of all files.

    Raises:
        UserError: Kaggle refuses.
        requests.RequestException: a temporary failure, which may be retried.
    """
    if_refused = f"Accept the rules at {rules_page(slug)}; a phone number must be verified"
    fields = {"competition_name": slug, "file_name": name} if name else {"competition_name": slug}
    method = "download_data_file" if name else "download_data_files"
    return _open(session, name or slug, if_refused, "competitions", method, fields)


def request_dataset_archive(session: KaggleSession, slug: str, name: str = "") -> requests.Response:
    """Opens the stream of a data set's archive, or of one of its files.

    Args:
        session: connection to Kaggle; public data sets need no credentials.
        slug: owner/name of the data set.
        name: path of the file. Defaults to the archive of all files.

    Raises:
        UserError, requests.RequestException: as `request_competition_archive`.
    """
    owner, dataset = slug.split("/")
    fields = {"owner_slug": owner, "dataset_slug": dataset, **({"file_name": name} if name else {})}
    if_refused = f"See {SITE}/datasets/{slug}"
    return _open(session, name or slug, if_refused, "datasets", "download_dataset", fields)


def _list_files(
    session: KaggleSession, slug: str, ask: Callable[..., Any], files: Callable[[Any], Any]
) -> dict[str, int]:
    pages = session.pages(slug, ask, slug, first_token="", page_size=PAGE_SIZE)
    return {file.name: file.total_bytes for page in pages for file in files(page) or []}


def _open(
    session: KaggleSession, where: str, if_refused: str, service: str, method: str, fields: dict[str, str]
) -> requests.Response:
    try:
        return client.open_download(session.api, service, method, **fields)
    except requests.RequestException as error:
        status = status_of(error)
        if status is None or status == 429 or status >= 500:
            raise  # temporary: `http_download` retries it
        raise explain(error, where, session.source, if_refused) from None
