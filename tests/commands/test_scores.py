"""make scores: pending scores are fetched; OOF and leaderboard scores are compared by their ranks."""

import shutil
from types import SimpleNamespace

import pytest

from medfold.commands import scores as command
from medfold.commands.scores import scores
from medfold.errors import UserError
from medfold.paths import ProjectPaths
from medfold.submission import LeaderboardResult
from medfold.submission.ledger import COLUMNS, SCORE_COLUMNS, LedgerRow, add_row, read_ledger
from medfold.submission.record import SubmissionRecord


@pytest.fixture
def project_paths(small):
    return small.project_paths


def add(project_paths: ProjectPaths, number: int, oof="", public="", **changes: str) -> None:
    """Adds a scored submission of the small phantom to the ledger."""
    cells = {"time": f"2026010{number}-000000", "competition": "small", "runs": f"run{number}", "file": f"{number}.csv"}
    cells |= {"metric": "auc", "oof": oof, "public": public, "status": "scored", "trained_folds": "0 1 2"}
    add_row(project_paths, LedgerRow.from_cells(dict.fromkeys(COLUMNS, "") | cells | changes))


def test_ledger_without_submissions_says_so(project_paths, capsys):
    assert scores(project_paths) == []
    assert capsys.readouterr().out == "scores     no submission yet\n"
    add(project_paths, 1, competition="other")
    assert scores(project_paths, "small") == []
    assert capsys.readouterr().out == "scores     no submission of small yet\n"


def test_rank_correlation_of_three_different_scores(project_paths, capsys):
    for number, (oof, public) in enumerate([("0.90", "0.80"), ("0.91", "0.85"), ("0.92", "0.84")]):
        add(project_paths, number, oof, public)
    (result,) = scores(project_paths)
    assert result.rank_correlation == pytest.approx(0.5)
    assert "rank correlation (Spearman) of OOF and public: 0.50 over 3 submissions" in capsys.readouterr().out


@pytest.mark.parametrize(
    "pairs",
    [
        [("0.90", "0.80"), ("0.91", "0.85")],
        [("0.90", "0.80"), ("0.90", "0.85"), ("0.90", "0.84")],
        [("0.90", "0.80"), ("0.91", "0.85"), ("0.92", "")],
    ],
    ids=["two submissions", "equal OOF scores", "one without a public score"],
)
def test_rank_correlation_needs_three_different_scores(project_paths, capsys, pairs):
    for number, (oof, public) in enumerate(pairs):
        add(project_paths, number, oof, public)
    (result,) = scores(project_paths)
    assert result.rank_correlation is None
    assert "a rank correlation of OOF and public needs three different scores" in capsys.readouterr().out


def test_submissions_are_returned_as_numbers(project_paths):
    add(project_paths, 1, "0.900000", "0.8", oof_low="0.85", oof_high="", private="")
    (result,) = scores(project_paths, "small")
    assert (result.competition, result.metric, result.num_not_comparable) == ("small", "auc", 0)
    (row,) = result.submissions
    assert {key: row[key] for key in SCORE_COLUMNS} == {
        "oof": 0.9,
        "oof_low": 0.85,
        "oof_high": None,
        "public": 0.8,
        "private": None,
    }
    assert (row["runs"], row["status"]) == ("run1", "scored")


def test_scores_by_another_metric_are_counted_and_left_out(project_paths, capsys):
    for number, metric in enumerate(["auc", "log_loss", "log_loss", "accuracy"]):
        add(project_paths, number, "0.9", "0.8", metric=metric)
    (result,) = scores(project_paths)
    assert result.num_not_comparable == 3
    assert [row["runs"] for row in result.submissions] == ["run0"]
    printed = capsys.readouterr().out
    assert "3 more were scored by a different metric, and cannot be compared: 2 by log_loss, 1 by accuracy" in printed


def test_competition_whose_folder_is_gone_is_named(project_paths, capsys):
    add(project_paths, 1, competition="gone")
    add(project_paths, 2, "0.9", "0.8")
    shutil.rmtree(project_paths.root / "competition" / "gone", ignore_errors=True)
    assert [result.competition for result in scores(project_paths)] == ["small"]
    text = "gone is in the ledger, but there is no competition folder of that name any more"
    assert text in capsys.readouterr().out


@pytest.fixture
def leaderboard(monkeypatch):
    """A leaderboard that publishes scores later: `results` by file, or an error; and what was asked and written."""
    board = SimpleNamespace(has_late_scores=True, results={}, error=None, asked=[], written=[])

    def fetch_scores(queries):
        board.asked.append([file for _, _, file in queries])
        if board.error:
            raise board.error
        return board.results

    board.fetch_scores = fetch_scores
    monkeypatch.setattr(command, "leaderboard_of", lambda competition: board)
    monkeypatch.setattr(command, "read_record", lambda competition, row: SubmissionRecord(content_id="abc"))
    monkeypatch.setattr(
        command, "record_result", lambda competition, row, result, contents: board.written.append((row.file, result))
    )
    return board


def test_only_pending_scores_are_asked_for(project_paths, leaderboard):
    add(project_paths, 1, "0.9", "0.8")
    add(project_paths, 2, "0.9", status="pending")
    add(project_paths, 3, "0.9", status="error")
    add(project_paths, 4, "0.9", status="written")
    leaderboard.results = {"2.csv": LeaderboardResult("scored", public=0.7)}
    scores(project_paths)
    assert leaderboard.asked == [["2.csv", "4.csv"]]
    assert leaderboard.written == [("2.csv", LeaderboardResult("scored", public=0.7))]


def test_leaderboard_is_not_asked_without_pending_scores(project_paths, leaderboard):
    add(project_paths, 1, "0.9", "0.8")
    scores(project_paths)
    assert leaderboard.asked == []


def test_late_refusal_is_printed(project_paths, leaderboard, capsys):
    add(project_paths, 2, "0.9", status="pending")
    leaderboard.results = {"2.csv": LeaderboardResult("error", problem="wrong ids")}
    scores(project_paths)
    assert "scores     2.csv was refused: wrong ids" in capsys.readouterr().out


def test_failed_request_leaves_the_ledger_and_still_shows_it(project_paths, leaderboard, capsys):
    add(project_paths, 2, "0.9", status="pending")
    before = read_ledger(project_paths)
    leaderboard.error = UserError("Kaggle does not answer", "small", "Try again later")
    (result,) = scores(project_paths)
    assert len(result.submissions) == 1
    assert leaderboard.written == []
    assert read_ledger(project_paths).equals(before)
    assert "scores     not refreshed: small: Kaggle does not answer. Try again later" in capsys.readouterr().out
