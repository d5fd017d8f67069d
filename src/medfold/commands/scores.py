"""`make scores`: fetches pending scores, and compares OOF with leaderboard scores."""

from collections import Counter

from medfold.competition import Competition, setting_errors_located
from medfold.errors import UserError
from medfold.paths import ProjectPaths
from medfold.scoring import metric_title
from medfold.submission import (
    SHOWN_COLUMNS,
    CompetitionScores,
    LedgerRow,
    ScoreQuery,
    compare_scores,
    content_id_of,
    leaderboard_of,
    read_ledger,
    read_record,
    read_rows,
    record_result,
)
from medfold.system import files
from medfold.terminal.console import print_table, say, warn
from medfold.text import count_of


def scores(project_paths: ProjectPaths, name: str | None = None) -> list[CompetitionScores]:
    """Fetches pending scores, and prints the OOF and leaderboard scores of every submission.

    Args:
        project_paths: the project folder.
        name: name of a competition. Defaults to all in the ledger.
    """
    files.check_folder(project_paths.root / "submissions")
    ledger = read_ledger(project_paths)
    names = [name] if name else list(dict.fromkeys(ledger["competition"]))
    if not len(ledger[ledger["competition"].isin(names)]):
        say("scores", f"no submission{f' of {name}' if name else ''} yet")
        return []
    results = []
    for name in names:
        if name not in project_paths.competitions():
            warn("scores", f"{name} is in the ledger, but there is no competition folder of that name any more")
            continue
        competition = Competition.open(name, project_paths)
        with setting_errors_located(competition.paths):
            _fetch_scores(competition, read_rows(project_paths, name))
            results.append(_show_scores(competition))
    return results


def _fetch_scores(competition: Competition, rows: list[LedgerRow]) -> None:
    """Fetches the scores of the submissions that have none, and writes them into the ledger."""
    leaderboard = leaderboard_of(competition)
    pending = [row for row in rows if row.public is None and row.status != "error"]
    if not pending or not leaderboard.has_late_scores:
        return
    records = {row.file: read_record(competition, row) for row in pending}
    queries = [ScoreQuery(row.ref, content_id_of(row, records[row.file]), row.file) for row in pending]
    try:
        results = leaderboard.fetch_scores(queries)
    except UserError as error:
        warn("scores", f"not refreshed: {error}")
        return
    for row in pending:
        if result := results.get(row.file):
            record_result(competition, row, result, records[row.file])
            if result.problem:
                warn("scores", f"{row.file} was refused: {result.problem}")


def _show_scores(competition: Competition) -> CompetitionScores:
    rows = read_rows(competition.project_paths, competition.paths.name)
    metric = competition.facts.score.metric
    result = compare_scores(competition.paths.name, metric, rows)
    title = metric_title(competition.facts, metric)
    say("scores", f"{competition.paths.name}, {title}, {count_of(len(rows), 'submission')}")
    if result.num_not_comparable:
        others = Counter(row.metric for row in rows if row.metric != metric)
        counts = ", ".join(f"{count} by {name}" for name, count in others.most_common())
        warn(
            "", f"{result.num_not_comparable} more were scored by a different metric, and cannot be compared: {counts}"
        )
    cells_of_rows = [row.cells() for row in rows if row.metric == metric]
    print_table(SHOWN_COLUMNS, [[cells[column] for column in SHOWN_COLUMNS] for cells in cells_of_rows])
    if result.rank_correlation is None:
        say("", "a rank correlation of OOF and public needs three different scores")
    else:
        count = sum(row["oof"] is not None and row["public"] is not None for row in result.submissions)
        correlation = f"rank correlation (Spearman) of OOF and public: {result.rank_correlation:.2f}"
        say("", f"{correlation} over {count_of(count, 'submission')}")
    return result
