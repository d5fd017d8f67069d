"""The local leaderboard of practice competitions: the hidden solution stands in data/."""

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition import Competition
from medfold.data import encode_targets
from medfold.errors import UserError
from medfold.paths import CompetitionPaths
from medfold.scoring import METRICS, bootstrap_interval, format_score_and_interval, metric_input, metric_of
from medfold.submission import table
from medfold.submission.leaderboards.entry import LeaderboardResult, SubmissionEntry


def preflight(competition: Competition, paths: CompetitionPaths) -> None:
    """Checks that the hidden solution is there, if the data holds labels of the test part.

    Raises:
        UserError: there is none.
    """
    if not paths.solution.is_file() and _promised(competition):
        raise UserError("no hidden solution", paths.solution, f"Run: make download COMPETITION={paths.name} FORCE=1")


def _promised(competition: Competition) -> bool:
    """True if the data holds labels of the test part: a hold-out, labelled folders or arrays, or made-up data."""
    labelled = any("{label}" in pattern for pattern in competition.images.test)
    arrays = competition.labels.shape == "arrays"
    return bool(competition.labels.holdout) or labelled or arrays or competition.source.get("kind") == "phantom"


def _unlabelled() -> LeaderboardResult:
    return LeaderboardResult(
        status="written", lines=[("test score", "none: the data holds no labels of the test part")]
    )


def submit(competition: Competition, paths: CompetitionPaths, entry: SubmissionEntry) -> LeaderboardResult:
    """Scores a submission on the public and the private part of the hidden solution, joined by id.

    The metric of the competition sees what the file holds, further metrics what `metrics.seen_by` says. Where that is
    the probabilities behind the file it is told.

    Args:
        competition: names metrics and columns.
        paths: where solution and published scores are.
        entry: the checked submission.

    Raises:
        UserError: a solution that is promised is not there, or has other ids than the submission.
    """
    preflight(competition, paths)
    if not paths.solution.is_file():
        return _unlabelled()
    written, _ = table.read_predictions_back(competition, entry.table, entry.sample)
    solution = files.read_csv(paths.solution, **dict.fromkeys(competition.labels.targets, str))
    if set(written.index) != set(solution["id"]):
        if not _promised(competition):  # it is that of an earlier test part
            return _unlabelled()
        raise UserError("the solution has other ids than the submission", paths.solution, "Download again")
    groups = entry.groups.loc[solution["id"]].to_numpy()
    behind = entry.probabilities.set_index("id")
    held, probable = (each.loc[solution["id"], competition.prediction_columns].to_numpy() for each in (written, behind))
    targets = encode_targets(competition, solution)
    names = [competition.score.metric, *competition.score.also]
    scores, lines = {}, []
    for part in ("Public", "Private"):
        here = (solution["usage"] == part).to_numpy()
        if not here.any():
            continue
        values = []
        for name in names:
            metric = metric_of(competition, name)
            predictions = metric_input(competition, name, held, probable)[here]
            behind_it = not np.allclose(predictions, held[here], atol=1e-8)
            value = metric(targets[here], predictions)
            scores[part, metric.name] = None if np.isnan(value) else value
            interval = bootstrap_interval(metric, targets[here], predictions, groups[here])
            shown = format_score_and_interval(metric.title, value, *interval)
            values.append(f"{shown} of the probabilities behind it" if behind_it else shown)
        only = here.all()
        lines.append(("test score" if only else part.lower(), f"{', '.join(values)}, {int(here.sum()):,} images"))
    rivals, mine = _rank(paths, names, scores)
    return LeaderboardResult(
        status="scored",
        public=scores.get(("Public", names[0])),
        private=scores.get(("Private", names[0])),
        lines=lines,
        rivals=rivals,
        mine=mine,
    )


def _rank(paths: CompetitionPaths, names: list[str], scores: dict) -> tuple[pd.DataFrame | None, int | None]:
    """Published scores with this one among them, best first."""
    if not paths.leaderboard.is_file():
        return None, None
    rivals = pd.read_csv(paths.leaderboard)
    if "competition" in rivals:
        rivals = rivals[rivals["competition"] == paths.name].drop(columns="competition").dropna(axis=1, how="all")
    if rivals.empty or names[0] not in rivals:
        return None, None
    me = {"name": "this submission", "source": "K-fold on train+val, not the protocol of the others"}
    mine = {name: scores["Private", name] for name in names if name in rivals}
    if mine[names[0]] is None:
        return None, None
    me |= {name: np.nan if value is None else round(value, 3) for name, value in mine.items()}
    ranked = pd.concat([rivals, pd.DataFrame([me])], ignore_index=True)
    direction = METRICS[names[0]].sign
    order = np.argsort(-direction * ranked[names[0]].to_numpy(), kind="stable")
    ranked = ranked.iloc[order].reset_index(drop=True)
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    return ranked, int(np.flatnonzero(ranked["name"] == me["name"])[0])
