"""The interface of leaderboards."""

import pytest

from medfold.submission.leaderboards.entry import MODULES, leaderboard_of


@pytest.mark.parametrize("upload", MODULES)
def test_every_leaderboard_has_the_names_of_the_protocol(upload):
    leaderboard = leaderboard_of(upload)
    assert callable(leaderboard.preflight)
    assert callable(leaderboard.submit)
    assert leaderboard.fetch_scores is None if upload == "local" else callable(leaderboard.fetch_scores)
    assert leaderboard.IS_LONG_RUNNING is (upload == "notebook")
