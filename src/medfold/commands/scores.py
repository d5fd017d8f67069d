"""`make scores`: fetches pending scores, and compares OOF with leaderboard scores."""

from dataclasses import dataclass

import pandas as pd

from medfold.competition import Project, settings_located
from medfold.errors import UserError, count_of
from medfold.paths import Workspace
from medfold.scoring import metric_title
from medfold.submission import content_id_of, leaderboard_of, read_ledger, read_record, record_result
from medfold.system import files
from medfold.terminal.console import print_table, say, warn

COLUMNS = ["when", "runs", "folds", "oof", "low", "high", "public", "private", "status"]  # of the ledger
SCORE_COLUMNS = ["oof", "low", "high", "public", "private"]


@dataclass(frozen=True)
class CompetitionScores:
    """Scores of the submissions of one competition.

    Args:
        competition: name of the competition.
        metric: name of its metric.
        submissions: rows of the ledger that were scored by this metric: `when`, `runs`, `folds`, `oof`, `low`, `high`,
            `public`, `private`, `status`; scores are None while unknown.
        num_other_metrics: number of submissions that were scored by another metric.
        rank_correlation: Spearman's, of OOF and public scores; None with fewer than three different scores.
    """

    competition: str
    metric: str
    submissions: list[dict[str, str | float | None]]
    num_other_metrics: int
    rank_correlation: float | None


def scores(workspace: Workspace, name: str | None = None) -> list[CompetitionScores]:
    """Fetches pending scores, and prints the OOF and leaderboard scores of every submission.

    Args:
        workspace: the project folder.
        name: of one competition. Defaults to all in the ledger.
    """
    files.check_folder(workspace.root / "submissions")
    ledger = read_ledger(workspace)
    names = [name] if name else list(dict.fromkeys(ledger["competition"]))
    if not len(ledger[ledger["competition"].isin(names)]):
        say("scores", f"no submission{f' of {name}' if name else ''} yet")
        return []
    results = []
    for competition in names:
        if competition not in workspace.competitions():
            warn("scores", f"{competition} is in the ledger, but there is no competition folder of that name any more")
            continue
        project = Project.open(competition, workspace)
        with settings_located(project.paths):
            _fetch_scores(project, ledger[ledger["competition"] == competition])
            results.append(_show_scores(project))
    return results


def _fetch_scores(project: Project, rows: pd.DataFrame) -> None:
    """Fetches the scores of the submissions that have none, and writes them into the ledger."""
    leaderboard = leaderboard_of(project)
    pending = rows[(rows["public"] == "") & (rows["status"] != "error")]
    if not len(pending) or not leaderboard.has_late_scores:
        return
    records = {row["file"]: read_record(project, row) for _, row in pending.iterrows()}
    queries = [(row["ref"], content_id_of(row, records[row["file"]]), row["file"]) for _, row in pending.iterrows()]
    try:
        results = leaderboard.fetch_scores(queries)
    except UserError as error:
        warn("scores", f"not refreshed: {error}")
        return
    for _, row in pending.iterrows():
        if row["file"] in results:
            record_result(project, row.to_dict(), results[row["file"]], records[row["file"]])
            if problem := results[row["file"]].problem:
                warn("scores", f"{row['file']} was refused: {problem}")


def _show_scores(project: Project) -> CompetitionScores:
    rows = read_ledger(project.workspace)
    rows = rows[rows["competition"] == project.paths.name]
    name = project.competition.score.metric
    title = metric_title(project.competition, name)
    say("scores", f"{project.paths.name}, {title}, {count_of(len(rows), 'submission')}")
    others = rows[rows["metric"] != name]
    if len(others):
        counts = ", ".join(f"{count} by {metric}" for metric, count in others["metric"].value_counts().items())
        warn("", f"{len(others)} more were scored by another metric, and do not compare: {counts}")
        rows = rows[rows["metric"] == name]
    print_table(COLUMNS, rows[COLUMNS].to_numpy().tolist())
    pairs = rows.loc[(rows["oof"] != "") & (rows["public"] != ""), ["oof", "public"]].astype(float)
    correlation = None
    if len(pairs) < 3 or (pairs.nunique() < 2).any():
        say("", "a rank correlation of OOF and public needs three different scores")
    else:
        correlation = float(pairs["oof"].corr(pairs["public"], method="spearman"))
        say("", f"rank correlation (Spearman) of OOF and public: {correlation:.2f} over {len(pairs)} submissions")
    submissions = [
        row | {column: float(row[column]) if row[column] else None for column in SCORE_COLUMNS}
        for row in rows[COLUMNS].to_dict("records")
    ]
    return CompetitionScores(project.paths.name, name, submissions, len(others), correlation)
