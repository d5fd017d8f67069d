"""Files of competitions at Kaggle: listed and opened."""

from medfold.kaggle.download import competition_files, open_competition
from medfold.kaggle.session import KaggleSession
from tests.support.helpers import refused
from tests.support.kaggle_server import status


def test_competition_files_lists_all_pages(hosted):
    assert competition_files(KaggleSession.connect(), "histology") == {f"train/{n:02}.tif": 1 for n in range(45)}


def test_refused_download_shows_the_message_of_kaggle(hosted):
    hosted.fault("DownloadDataFiles", status(403, "You must verify your phone"))
    with refused("histology: .*You must verify your phone.*/histology/rules"):
        open_competition(KaggleSession.connect(), "histology")
