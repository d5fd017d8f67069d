"""The leaderboard of each kind of upload."""

import pytest

from medfold.competition import Competition, CompetitionFacts
from medfold.submission.leaderboards.kinds import LEADERBOARDS, leaderboard_of
from medfold.submission.leaderboards.notebook import NotebookLeaderboard


@pytest.mark.parametrize("upload", LEADERBOARDS)
def test_every_upload_has_its_leaderboard(small, upload):
    facts = small.facts.model_copy(update={"upload": upload})
    leaderboard = leaderboard_of(Competition(small.project_paths, small.paths, facts))
    assert (leaderboard.facts, leaderboard.paths) == (facts, small.paths)
    assert leaderboard.has_late_scores is (upload != "local")
    assert leaderboard.is_long_running is isinstance(leaderboard, NotebookLeaderboard) is (upload == "notebook")


def test_facts_allow_exactly_the_uploads_that_have_a_leaderboard():
    assert set(CompetitionFacts.model_fields["upload"].annotation.__args__) == set(LEADERBOARDS)


def test_leaderboard_without_late_scores_fetches_none(small):
    assert leaderboard_of(small).fetch_scores([("1", "id", "file.csv")]) == {}
