"""Files of competitions on Kaggle: listed and opened."""

from types import SimpleNamespace

import pytest
import requests

from medfold.errors import UserError
from medfold.kaggle import KaggleSession, client
from medfold.kaggle.download import competition_files, request_competition_archive, request_dataset_archive
from tests.support.helpers import refused
from tests.support.kaggle_server import status


def test_competition_files_lists_all_pages(hosted):
    assert competition_files(KaggleSession.connect(), "histology") == {f"train/{n:02}.tif": 1 for n in range(45)}


def test_refused_download_shows_the_message_of_kaggle(hosted):
    hosted.fault("DownloadDataFiles", status(403, "You must verify your phone"))
    with refused("histology: .*You must verify your phone.*/histology/rules"):
        request_competition_archive(KaggleSession.connect(), "histology")


@pytest.mark.parametrize("code", [429, 500, 503])
def test_temporary_failure_is_left_to_the_download(hosted, code):
    hosted.fault("DownloadDataFiles", *[status(code)] * 9)
    with pytest.raises(requests.RequestException) as caught:
        request_competition_archive(KaggleSession.connect(), "histology")
    assert not isinstance(caught.value, UserError)
    assert caught.value.response.status_code == code


def test_missing_data_set_is_named():
    """Without a server: the answer of Kaggle is imitated."""
    response = requests.Response()
    response.status_code, response.reason, response.url = 404, "Not Found", "https://api/x"
    error = requests.HTTPError("404 Client Error", response=response)
    session = SimpleNamespace(api=None, source="token in KAGGLE_API_TOKEN")

    def fail(*given, **fields):
        assert fields == {"owner_slug": "a", "dataset_slug": "b", "file_name": "c.csv"}
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "open_download", fail)
        with refused(r"^c\.csv: not found on Kaggle: .*Check the name, and whether your account may see it$"):
            request_dataset_archive(session, "a/b", "c.csv")
