"""The leaderboard of each kind of upload."""

import pytest
from filelock import Timeout

from medfold.competition import Competition, CompetitionFacts
from medfold.submission import ScoreQuery
from medfold.submission.leaderboards.kinds import LEADERBOARDS, leaderboard_of
from medfold.submission.leaderboards.notebook import NotebookLeaderboard
from medfold.system import locks
from tests.support.helpers import refused


@pytest.mark.parametrize("upload", LEADERBOARDS)
def test_every_upload_has_its_leaderboard(small, upload):
    facts = small.facts.model_copy(update={"upload": upload})
    leaderboard = leaderboard_of(Competition(small.project_paths, small.paths, facts))
    assert (leaderboard.facts, leaderboard.paths) == (facts, small.paths)
    assert leaderboard.has_late_scores is (upload != "none")
    assert isinstance(leaderboard, NotebookLeaderboard) is (upload == "notebook")


@pytest.mark.parametrize("upload", LEADERBOARDS)
def test_second_submission_of_a_notebook_is_refused_and_of_a_file_waits(small, upload):
    facts = small.facts.model_copy(update={"upload": upload})
    leaderboard = leaderboard_of(Competition(small.project_paths, small.paths, facts))
    file = small.paths.submissions / "file.csv"
    with leaderboard.submission_lock(file, ["a"]), leaderboard.submission_lock(file.with_name("other.csv"), ["b"]):
        if upload == "notebook":
            with refused("a/notebook: these runs are being packed or submitted in another process"):
                leaderboard.submission_lock(file, ["a"]).__enter__()
        else:
            with pytest.raises(Timeout):
                locks.lock(file).acquire(blocking=False)


def test_facts_allow_exactly_the_uploads_that_have_a_leaderboard():
    assert set(CompetitionFacts.model_fields["upload"].annotation.__args__) == set(LEADERBOARDS)


def test_leaderboard_without_late_scores_fetches_none(small):
    assert leaderboard_of(small).fetch_scores([ScoreQuery("1", "id", "file.csv")]) == {}
