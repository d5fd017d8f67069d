"""Failed requests to Kaggle: each raises an error of one line."""

from medfold.kaggle.competitions import Competitions
from medfold.kaggle.session import KaggleSession
from medfold.system import http_download
from tests.support.helpers import refused
from tests.support.kaggle_server import stall, status


def test_server_that_stays_busy_raises(hosted):
    hosted.fault("GetCompetition", *[status(503, "overloaded")] * 9)
    with refused("histology: Kaggle answers 503: overloaded. Try again later"):
        Competitions(KaggleSession.connect()).info("histology")


def test_silent_server_raises(hosted, monkeypatch):
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 0.2))
    hosted.fault("GetCompetition", *[stall(1, after=-1)] * 9)
    with refused("histology: Kaggle cannot be reached: no answer for 0.2 s. Check the network"):
        Competitions(KaggleSession.connect()).info("histology")


def test_missing_network_raises(kaggle, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with refused("Kaggle cannot be reached: .*Check the network; proxies are set by https_proxy"):
        KaggleSession.connect()


def test_unreadable_answer_raises(hosted):
    hosted.fault("GetCompetition", lambda handler, answer: handler.answer(200, b"<html>", {}))
    with refused("histology: Kaggle sent an answer that cannot be read .*Try again later"):
        Competitions(KaggleSession.connect()).info("histology")
