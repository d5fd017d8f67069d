"""Requests of the official client, which are retried while the server is busy."""

import pytest

from medfold.kaggle import KaggleCompetitions, KaggleSession
from tests.support.kaggle_server import lose, status


@pytest.mark.parametrize("faults", [[status(429)], [status(503), status(503)], [lose]])
def test_request_is_repeated_while_kaggle_is_busy(hosted, faults):
    hosted.fault("GetCompetition", *faults)
    assert KaggleCompetitions(KaggleSession.connect()).info("histology").has_joined
    assert hosted.asked("GetCompetition") == len(faults) + 1


def test_retry_after_is_respected(hosted):
    hosted.fault("GetCompetition", status(429, Retry_After="9"))
    KaggleCompetitions(KaggleSession.connect()).info("histology")
    assert hosted.waits == [9]
    assert "Kaggle answers 429; next attempt in 9 s" in hosted.said()
