"""The local leaderboard: scores of the public and the private part, and the ranking."""

import numpy as np
import pandas as pd
import pytest

from medfold.scoring import METRICS, bootstrap_interval
from medfold.submission import LedgerRow
from medfold.submission.draft import SubmissionDraft
from medfold.submission.leaderboards.local import LocalLeaderboard
from medfold.submission.record import RecordedSubmission, SubmissionRecord
from medfold.tables import read_csv, write_csv
from tests.support.helpers import refused


@pytest.fixture
def solution_and_submission(small):
    """A solution of forty images, a submission for it, and the groups."""
    rng = np.random.default_rng(0)
    ids = [f"t{n:02d}" for n in range(40)]
    target = np.tile([0, 1], 20)
    usage = np.where(np.arange(40) < 12, "Public", "Private")
    write_csv(pd.DataFrame({"id": ids, "target": target, "usage": usage}), small.paths.solution)
    table = pd.DataFrame({"id": ids, "target": rng.random(40) * 0.5 + target * 0.3})
    return small, table, pd.Series(np.arange(40), index=ids), target


def submit_locally(small, table, groups, probabilities=None, facts=None):
    file = small.paths.submissions / "x.csv"
    written = table.astype(str)
    draft = SubmissionDraft("", "", "", "", written, table if probabilities is None else probabilities, groups)
    recorded = RecordedSubmission(file, written, draft, LedgerRow(), record=SubmissionRecord(), num_scored_before=0)
    return LocalLeaderboard(facts or small.facts, small.paths).submit(recorded, pack=pytest.fail)


def test_public_and_private_scores_are_scored_by_id(solution_and_submission):
    small, table, groups, target = solution_and_submission
    placed = submit_locally(small, table.sample(frac=1, random_state=0), groups)
    auc = METRICS["auc"]
    assert placed.public == pytest.approx(auc(target[:12], table["target"].to_numpy()[:12]))
    assert placed.private == pytest.approx(auc(target[12:], table["target"].to_numpy()[12:]))
    assert [fact for fact, _ in placed.lines] == ["public", "private"]
    assert placed.ranking is None


def test_intervals_draw_patients_not_images(solution_and_submission):
    small, table, _, target = solution_and_submission
    patients = np.arange(40) // 4  # each has images of both classes
    placed = submit_locally(small, table, pd.Series(patients, index=table["id"]))
    public = slice(0, 12)
    auc, values = METRICS["auc"], table["target"].to_numpy()[public]
    low, high = bootstrap_interval(auc, target[public], values, patients[public])
    assert f"{low:.4f} to {high:.4f}" in placed.lines[0][1]
    assert (low, high) != bootstrap_interval(auc, target[public], values, np.arange(12))


def test_probability_metrics_use_probabilities_behind_decisions(solution_and_submission):
    small, probabilities, groups, target = solution_and_submission
    score = small.facts.score.model_copy(update={"metric": "accuracy", "more_metrics": ("auc", "log_loss", "macro_f1")})
    facts = small.facts.model_copy(update={"score": score})
    decided = probabilities.assign(target=(probabilities["target"] > 0.4).astype(int))
    (_, line), _ = submit_locally(small, decided, groups, probabilities, facts).lines
    auc, loss = METRICS["auc"], METRICS["log_loss"]
    values = probabilities["target"].to_numpy()[:12]
    assert f"accuracy {np.mean(decided['target'][:12] == target[:12]):.4f}" in line
    assert f"AUC {auc(target[:12], values):.4f}" in line
    assert f"log loss {loss(target[:12], values):.4f}" in line
    assert f"macro F1 {METRICS['macro_f1'](target[:12], decided['target'].to_numpy()[:12]):.4f}" in line
    assert line.count("of the probabilities") == 2


def test_undefined_score_of_a_part_is_reported(solution_and_submission):
    small, table, groups, _ = solution_and_submission
    solution = read_csv(small.paths.solution)
    solution.loc[solution["usage"] == "Public", "target"] = 1
    write_csv(solution, small.paths.solution)
    placed = submit_locally(small, table, groups)
    assert placed.public is None
    assert placed.lines[0] == ("public", "AUC undefined, 12 images")


def test_submission_is_ranked_among_published_scores(solution_and_submission):
    small, table, groups, _ = solution_and_submission
    small.paths.leaderboard.write_text("name,auc,source\nbetter,1.0,a\nworse,0.1,b\n")
    placed = submit_locally(small, table, groups)
    assert placed.ranking["name"].tolist() == ["better", "this submission", "worse"]
    assert placed.ranking["rank"].tolist() == [1, 2, 3]
    assert placed.own_row == 1
    assert "not the protocol" in placed.ranking["source"].iloc[1]


def test_solution_without_a_private_part_has_no_ranking(solution_and_submission):
    small, table, groups, _ = solution_and_submission
    small.paths.leaderboard.write_text("name,auc,source\nbetter,1.0,a\n")
    write_csv(read_csv(small.paths.solution).assign(usage="Public"), small.paths.solution)
    placed = submit_locally(small, table, groups)
    assert placed.public is not None
    assert placed.private is None
    assert placed.ranking is None


def test_other_ids_are_refused(solution_and_submission):
    small, table, groups, _ = solution_and_submission
    with refused("the solution has other ids than the submission. Run: make download COMPETITION=small FORCE=1"):
        submit_locally(small, table.iloc[1:], groups)


def test_missing_solution_is_refused(solution_and_submission):
    small, table, groups, _ = solution_and_submission
    small.paths.solution.unlink()
    with refused("missing: it holds the labels of the test set"):
        submit_locally(small, table, groups)
