"""`make scores`: scores that came later, and OOF beside leaderboard."""

import pandas as pd

from medfold import files
from medfold.competition import Project
from medfold.console import print_table, say, warn
from medfold.errors import UserError
from medfold.paths import Workspace
from medfold.scoring import metric_title
from medfold.submission import content_id_of, leaderboard_of, read_ledger, record_path, write_record


def scores(workspace: Workspace, name: str | None = None) -> None:
    """Fetches the scores that were still to come, and shows OOF against leaderboard for every submission.

    Args:
        name: one competition. Defaults to all.
    """
    table_all = read_ledger(workspace)
    names = [name] if name else list(dict.fromkeys(table_all["competition"]))
    if not len(table_all[table_all["competition"].isin(names)]):
        say("scores", f"no submission{f' of {name}' if name else ''} yet")
        return
    for each in names:
        if each not in workspace.competitions():
            warn("scores", f"{each} is in the ledger, but there is no competition folder of that name any more")
            continue
        project = Project.open(each, workspace)
        _fetch_scores(project, table_all[table_all["competition"] == each])
        _show_scores(project)


def _fetch_scores(project: Project, rows: pd.DataFrame) -> None:
    board = leaderboard_of(project.competition.upload)
    waiting = rows[(rows["public"] == "") & (rows["status"] != "error")]
    if not len(waiting) or not hasattr(board, "fetch_scores"):
        return
    kept = {row["file"]: files.read_json(record_path(project, row)) or {} for _, row in waiting.iterrows()}
    sought = [(row["ref"], content_id_of(row, kept[row["file"]]), row["file"]) for _, row in waiting.iterrows()]
    try:
        found = board.fetch_scores(project.competition, sought)
    except UserError as error:
        warn("scores", f"not refreshed: {error}")
        return
    for _, row in waiting.iterrows():
        if row["file"] in found:
            write_record(project, row.to_dict(), found[row["file"]], kept[row["file"]])
            if problem := found[row["file"]].problem:
                warn("scores", f"{row['file']} was refused: {problem}")


def _show_scores(project: Project) -> None:
    rows = read_ledger(project.workspace)
    rows = rows[rows["competition"] == project.paths.name]
    name = project.competition.score.metric
    title = metric_title(project.competition, name)
    say("scores", f"{project.paths.name}, {title}, {len(rows)} submission{'s'[: len(rows) != 1]}")
    others = rows[rows["metric"] != name]
    if len(others):
        told = ", ".join(f"{count} by {metric}" for metric, count in others["metric"].value_counts().items())
        warn("", f"{len(others)} more were scored by another metric, and do not compare: {told}")
        rows = rows[rows["metric"] == name]
    columns = ["when", "runs", "folds", "oof", "low", "high", "public", "private", "status"]
    print_table(columns, rows[columns].to_numpy().tolist())
    both = rows[(rows["oof"] != "") & (rows["public"] != "")]
    pairs = both[["oof", "public"]].astype(float)
    if len(pairs) < 3 or (pairs.nunique() < 2).any():
        say("", "a rank correlation of OOF and public needs three different scores")
        return
    correlation = pairs["oof"].corr(pairs["public"], method="spearman")
    say("", f"rank correlation (Spearman) of OOF and public: {correlation:.2f} over {len(pairs)} submissions")
