import numpy as np
import pandas as pd
import pytest

from medfold import files
from medfold.errors import UserError
from medfold.leaderboards import Entry, local
from medfold.scoring.metrics import METRICS


@pytest.fixture
def solved(small):
    """A solution of forty images, a submission for it, and the groups."""
    rng = np.random.default_rng(0)
    ids = [f"t{n:02d}" for n in range(40)]
    target = np.tile([0, 1], 20)
    usage = np.where(np.arange(40) < 12, "Public", "Private")
    files.write_csv(pd.DataFrame({"id": ids, "target": target, "usage": usage}), small.paths.solution)
    table = pd.DataFrame({"id": ids, "target": rng.random(40) * 0.5 + target * 0.3})
    return small, table, pd.Series(np.arange(40), index=ids), target


def place(small, table, groups):
    file = small.paths.submissions / "x.csv"
    entry = Entry(file, table, groups, message="", mark="", sample=table, pack=pytest.fail, note=pytest.fail)
    return local.place(small.competition, small.paths, entry)


def test_both_parts_are_scored_by_id(solved):
    small, table, groups, target = solved
    placed = place(small, table.sample(frac=1, random_state=0), groups)
    auc = METRICS["auc"]
    assert placed.public == pytest.approx(auc(target[:12], table["target"].to_numpy()[:12]))
    assert placed.private == pytest.approx(auc(target[12:], table["target"].to_numpy()[12:]))
    assert [fact for fact, _ in placed.lines] == ["public", "private"]
    assert placed.rivals is None


def test_the_submission_stands_among_published_scores(solved):
    small, table, groups, _ = solved
    small.paths.leaderboard.write_text("name,auc,source\nbetter,1.0,a\nworse,0.1,b\n")
    placed = place(small, table, groups)
    assert placed.rivals["name"].tolist() == ["better", "this submission", "worse"]
    assert placed.rivals["rank"].tolist() == [1, 2, 3]
    assert placed.mine == 1
    assert "not the protocol" in placed.rivals["source"].iloc[1]


def test_other_ids_or_no_solution_are_refused(solved):
    small, table, groups, _ = solved
    with pytest.raises(UserError, match="other ids"):
        place(small, table.iloc[1:], groups)
    small.paths.solution.unlink()
    with pytest.raises(UserError, match="no hidden solution"):
        place(small, table, groups)
