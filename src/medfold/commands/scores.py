"""`make scores`: fetches pending scores, and compares OOF with leaderboard scores."""

import pandas as pd

from medfold import files
from medfold.competition import Project
from medfold.console import print_table, say, warn
from medfold.errors import UserError
from medfold.paths import Workspace
from medfold.scoring import metric_title
from medfold.submission import content_id_of, leaderboard_of, read_ledger, record_path, write_record


def scores(workspace: Workspace, name: str | None = None) -> None:
    """Fetches pending scores, and prints the OOF and leaderboard scores of every submission.

    Args:
        workspace: the project folder.
        name: of one competition. Defaults to all in the ledger.
    """
    ledger = read_ledger(workspace)
    names = [name] if name else list(dict.fromkeys(ledger["competition"]))
    if not len(ledger[ledger["competition"].isin(names)]):
        say("scores", f"no submission{f' of {name}' if name else ''} yet")
        return
    for competition in names:
        if competition not in workspace.competitions():
            warn("scores", f"{competition} is in the ledger, but there is no competition folder of that name any more")
            continue
        project = Project.open(competition, workspace)
        _fetch_scores(project, ledger[ledger["competition"] == competition])
        _show_scores(project)


def _fetch_scores(project: Project, rows: pd.DataFrame) -> None:
    board = leaderboard_of(project.competition.upload)
    pending = rows[(rows["public"] == "") & (rows["status"] != "error")]
    if not len(pending) or not hasattr(board, "fetch_scores"):
        return
    records = {row["file"]: files.read_json(record_path(project, row)) or {} for _, row in pending.iterrows()}
    queries = [(row["ref"], content_id_of(row, records[row["file"]]), row["file"]) for _, row in pending.iterrows()]
    try:
        results = board.fetch_scores(project.competition, queries)
    except UserError as error:
        warn("scores", f"not refreshed: {error}")
        return
    for _, row in pending.iterrows():
        if row["file"] in results:
            write_record(project, row.to_dict(), results[row["file"]], records[row["file"]])
            if problem := results[row["file"]].problem:
                warn("scores", f"{row['file']} was refused: {problem}")


def _show_scores(project: Project) -> None:
    rows = read_ledger(project.workspace)
    rows = rows[rows["competition"] == project.paths.name]
    name = project.competition.score.metric
    title = metric_title(project.competition, name)
    say("scores", f"{project.paths.name}, {title}, {len(rows)} submission{'s'[: len(rows) != 1]}")
    others = rows[rows["metric"] != name]
    if len(others):
        counts = ", ".join(f"{count} by {metric}" for metric, count in others["metric"].value_counts().items())
        warn("", f"{len(others)} more were scored by another metric, and do not compare: {counts}")
        rows = rows[rows["metric"] == name]
    columns = ["when", "runs", "folds", "oof", "low", "high", "public", "private", "status"]
    print_table(columns, rows[columns].to_numpy().tolist())
    scored = rows[(rows["oof"] != "") & (rows["public"] != "")]
    pairs = scored[["oof", "public"]].astype(float)
    if len(pairs) < 3 or (pairs.nunique() < 2).any():
        say("", "a rank correlation of OOF and public needs three different scores")
        return
    correlation = pairs["oof"].corr(pairs["public"], method="spearman")
    say("", f"rank correlation (Spearman) of OOF and public: {correlation:.2f} over {len(pairs)} submissions")
