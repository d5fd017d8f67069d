"""Failed requests to Kaggle: each raises an error of one line."""

import pytest
import requests

from medfold.kaggle import KaggleCompetitions, KaggleSession
from medfold.kaggle.request_errors import advice, explain, is_final, kaggle_errors
from medfold.system import http_download
from tests.support.helpers import refused
from tests.support.kaggle_server import stall, status


def test_server_that_stays_busy_is_reported(hosted):
    hosted.fault("GetCompetition", *[status(503, "overloaded")] * 9)
    with refused("histology: Kaggle answers 503: overloaded. Try again later"):
        KaggleCompetitions(KaggleSession.connect()).info("histology")


def test_silent_server_is_reported(hosted, monkeypatch):
    monkeypatch.setattr(http_download, "TIMEOUT", (1, 0.2))
    hosted.fault("GetCompetition", *[stall(1, after=-1)] * 9)
    with refused("histology: Kaggle cannot be reached: no answer for 0.2 s. Check the network"):
        KaggleCompetitions(KaggleSession.connect()).info("histology")


def test_missing_network_is_reported(kaggle, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with refused("Kaggle cannot be reached: .*Check the network; proxies are set by https_proxy"):
        KaggleSession.connect()


def test_unreadable_answer_is_reported(hosted):
    hosted.fault("GetCompetition", lambda handler, answer: handler.answer(200, b"<html>", {}))
    with refused("histology: Kaggle sent an answer that cannot be read .*Try again later"):
        KaggleCompetitions(KaggleSession.connect()).info("histology")


def failed(status: int, url: str = "https://www.kaggle.com/api/Service/x", text: str = "no") -> requests.HTTPError:
    """The error of an answer with this status."""
    response = requests.Response()
    response.status_code, response.reason, response.url = status, "Reason", url
    return requests.HTTPError(text, response=response)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((failed(status), True) for status in (400, 401, 403, 404, 409, 499)),
        *((failed(status), False) for status in (408, 429, 500, 502, 503)),
        (requests.ConnectionError("lost"), False),
        (KeyError("an unreadable answer"), False),
    ],
)
def test_retry_cannot_help_after_a_final_answer(error, expected):
    assert is_final(error) is expected


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (failed(401), r"^x: Kaggle does not accept the token in t\. "),
        (failed(403), r"^x: Kaggle refuses: no\. Accept the rules$"),
        (failed(404), r"^x: not found on Kaggle: no\. Check the name, and whether your account may see it$"),
        (failed(400), r"^x: Kaggle answers 400: no\. Open its page on Kaggle; if it works there, please report it$"),
        (failed(429), r"^x: Kaggle answers 429: no\. Try again later$"),
        (failed(500), r"^x: Kaggle answers 500: no\. Try again later$"),
        (
            failed(400, text="400 for url: https://signed"),
            "^x: Kaggle answers 400: Reason. Open its page",
        ),  # the address is secret
        (requests.ConnectionError("Connection aborted"), "^x: Kaggle cannot be reached: connection lost. Check the"),
    ],
)
def test_failed_request_is_explained_with_what_to_do(error, message):
    with refused(message), kaggle_errors("x", "token in t", "Accept the rules"):
        raise error


def test_error_of_the_file_storage_is_left_to_the_download():
    error = failed(503, url="https://storage.googleapis.com/x")
    with pytest.raises(requests.HTTPError) as caught, kaggle_errors("x", "token in t"):
        raise error
    assert caught.value is error


def test_login_that_is_refused_has_other_advice_than_a_token():
    fixes = {source: str(explain(failed(401), "x", source)) for source in ("login of kaggle.json", "token in t")}
    advice_of = [text.partition(f"the {source}. ")[2] for source, text in fixes.items()]
    assert "" not in advice_of
    assert advice_of[0] != advice_of[1]


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("Your weekly GPU quota is used up", "remaining GPU hours"),
        ("Please verify your phone", "Verify your phone number"),
        ("Maximum batch CPU session count of 5 reached", "Wait for other sessions to end"),
    ],
)
def test_known_reasons_not_to_run_a_notebook_have_advice(problem, words):
    assert words in advice(problem)
    assert advice("an unknown reason") is None
