"""The local leaderboard, for competitions with the labels of the test set in data/."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data import check_solution, encode_targets
from medfold.errors import UserError
from medfold.kaggle import NotebookJob
from medfold.paths import CompetitionPaths
from medfold.scoring import METRICS, bootstrap_interval, format_score_and_interval, metric_input, metric_of
from medfold.submission import table
from medfold.submission.leaderboard_result import LeaderboardResult
from medfold.submission.leaderboards.leaderboard import Leaderboard
from medfold.submission.record import RecordedSubmission
from medfold.tables import read_csv
from medfold.terminal.command_text import command
from medfold.text import count_of


class LocalLeaderboard(Leaderboard):
    """Scores a submission on this machine, by the solution in data/."""

    def preflight(self) -> None:
        """Checks that the solution exists, if the data includes labels of the test set.

        Raises:
            UserError: there is no solution.
        """
        if not self.paths.solution.is_file() and _has_test_labels(self.facts):
            fix = f"Run: {command('download', COMPETITION=self.paths.name, FORCE=1)}"
            raise UserError("missing: it holds the labels of the test set", self.paths.solution, fix)

    def submit(
        self, recorded: RecordedSubmission, pack: Callable[[], NotebookJob], resubmit: bool = False
    ) -> LeaderboardResult:
        """Scores a submission on the public and the private part of the solution, joined by id.

        The competition's metric is computed on the file's contents; for the further metrics see `metric_input`. If
        they use the probabilities from which decisions were made, the printed line notes it.

        Raises:
            UserError: the solution is missing although the data includes it, or has other ids than the submission.
        """
        facts = self.facts
        paths = self.paths
        self.preflight()
        if not paths.solution.is_file():
            return _unlabelled()
        written = table.read_predictions_back(facts, recorded.table, recorded.draft.sample_submission)
        check_solution(paths)
        solution = read_csv(paths.solution, **dict.fromkeys(facts.labels.targets, str))
        if missing := [column for column in ("id", *facts.labels.targets, "usage") if column not in solution]:
            fix = f"Run: {command('download', COMPETITION=paths.name, FORCE=1)}"
            raise UserError(f"no column '{missing[0]}'", paths.solution, fix)
        if set(written.index) != set(solution["id"]):
            if not _has_test_labels(facts):  # the solution belongs to an earlier test set
                return _unlabelled()
            fix = f"Run: {command('download', COMPETITION=paths.name, FORCE=1)}"
            raise UserError("the solution has other ids than the submission", paths.solution, fix)
        draft = recorded.draft
        probabilities = draft.test_probabilities.set_index("id")
        scores, lines = _public_and_private_scores(facts, solution, written, probabilities, draft.test_groups)
        ranking, own_row = _rank(paths, facts, scores)
        metric = facts.score.metric
        return LeaderboardResult(
            status="scored",
            public=scores.get(("Public", metric)),
            private=scores.get(("Private", metric)),
            lines=lines,
            ranking=ranking,
            own_row=own_row,
        )


def _public_and_private_scores(
    facts: CompetitionFacts,
    solution: pd.DataFrame,
    written: pd.DataFrame,
    probabilities: pd.DataFrame,
    test_groups: pd.Series,
) -> tuple[dict[tuple[str, str], float | None], list[tuple[str, str]]]:
    """Scores the public and the private part of the solution by each metric.

    Args:
        facts: facts of the competition (the metrics).
        solution: the solution: id, targets and usage.
        written: the predictions that the submission holds, by unit.
        probabilities: the probabilities from which the submission was made, by unit.
        test_groups: group of each unit of the test set, for intervals.

    Returns:
        The scores by part and metric; a line of text for each part.
    """
    ids = solution["id"]
    groups = test_groups.loc[ids].to_numpy()
    written_values, probability_values = (
        values.loc[ids, facts.prediction_columns].to_numpy() for values in (written, probabilities)
    )
    targets = encode_targets(facts, solution)
    scores, lines = {}, []
    for part in ("Public", "Private"):
        in_part = (solution["usage"] == part).to_numpy()
        if not in_part.any():
            continue
        texts = []
        for name in (facts.score.metric, *facts.score.more_metrics):
            predictions = metric_input(facts, name, written_values, probability_values)[in_part]
            value, text = _score(facts, name, targets[in_part], predictions, groups[in_part])
            uses_probabilities = not np.allclose(predictions, written_values[in_part], atol=1e-8)
            texts.append(f"{text} of the probabilities" if uses_probabilities else text)
            scores[part, name] = value
        num_scored = count_of(int(in_part.sum()), "unit" if facts.score.unit else "image")
        lines.append(("test score" if in_part.all() else part.lower(), f"{', '.join(texts)}, {num_scored}"))
    return scores, lines


def _score(
    facts: CompetitionFacts, name: str, targets: np.ndarray, predictions: np.ndarray, groups: np.ndarray
) -> tuple[float | None, str]:
    """Computes a metric: its value, None if undefined, and the value with its interval as text."""
    metric = metric_of(facts, name)
    value = metric(targets, predictions)
    interval = bootstrap_interval(metric, targets, predictions, groups)
    return None if np.isnan(value) else value, format_score_and_interval(metric.title, value, *interval)


def _has_test_labels(facts: CompetitionFacts) -> bool:
    """Returns True if the data includes test labels: a holdout, labelled folders or arrays, or phantoms."""
    labelled = any("{label}" in pattern for pattern in facts.images.test)
    arrays = facts.labels.layout == "arrays"
    return bool(facts.labels.holdout) or labelled or arrays or facts.source.get("kind") == "phantom"


def _unlabelled() -> LeaderboardResult:
    """Returns the result for a test set without labels."""
    return LeaderboardResult(status="written", lines=[("test score", "none: the data holds no labels of the test set")])


def _rank(
    paths: CompetitionPaths, facts: CompetitionFacts, scores: dict[tuple[str, str], float | None]
) -> tuple[pd.DataFrame | None, int | None]:
    """Returns the published scores with the private one of this submission among them, best first, and its position.

    Returns:
        None and None if nothing is published, or if this submission has no private score.
    """
    if not paths.leaderboard.is_file():
        return None, None
    published = pd.read_csv(paths.leaderboard)
    if "competition" in published:
        of_competition = published[published["competition"] == paths.name]
        published = of_competition.drop(columns="competition").dropna(axis=1, how="all")
    names = [facts.score.metric, *facts.score.more_metrics]
    if published.empty or names[0] not in published:
        return None, None
    own_entry = {"name": "this submission", "source": "K-fold on train+val, not the protocol of the others"}
    own_scores = {name: scores.get(("Private", name)) for name in names if name in published}
    if own_scores[names[0]] is None:
        return None, None
    own_entry |= {name: np.nan if value is None else round(value, 3) for name, value in own_scores.items()}
    ranked = pd.concat([published, pd.DataFrame([own_entry])], ignore_index=True)
    direction = METRICS[names[0]].sign
    order = np.argsort(-direction * ranked[names[0]].to_numpy(), kind="stable")
    ranked = ranked.iloc[order].reset_index(drop=True)
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    return ranked, int(np.flatnonzero(ranked["name"] == own_entry["name"])[0])
