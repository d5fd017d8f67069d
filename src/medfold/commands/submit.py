"""`make submit`: trained folds put together, written, checked, submitted and recorded; nothing twice."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.commands.ensemble import show_ensemble
from medfold.competition import RESEARCH, Competition, Project, run_name
from medfold.console import print_table, say, warn
from medfold.data import sample_submission
from medfold.ensemble import Ensemble, ensemble_runs, save_choice
from medfold.errors import UnreachableError, UserError
from medfold.notebooks import UNDER_WAY, bundle_folder, pack_submission
from medfold.runs import combined_name, git_commit, load_dataset_for
from medfold.scoring import chance_score, describe_score, metric_of, metric_title, score_in_words
from medfold.submission import (
    LeaderboardResult,
    SubmissionEntry,
    align_sample,
    build_submission,
    check_submission,
    class_words,
    content_id_of,
    explain_words,
    fill_missing,
    format_ledger_score,
    holds_decisions,
    leaderboard_of,
    read_ledger,
    read_submission,
    record_path,
    write_record,
)


def submit(
    project: Project,
    recipe: str = "baseline",
    overrides: dict[str, Any] | None = None,
    seeds: list[int] | None = None,
    names: list[str] | None = None,
    method: str | None = None,
    per_class: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> None:
    """Blends the trained folds of one run or several, writes the submission, checks, places and records it.

    The ledger has its row before anything is uploaded, so that a submission killed in between is found again.

    Args:
        recipe, overrides, seeds: name the runs as `train` does.
        names: the names of the runs instead. Defaults to none.
        method, per_class: how to put several together, as `ensemble` takes them.
        force: places it even if the same predictions were placed before, or the OOF score is no better than chance.
        dry_run: does everything but place it.

    Raises:
        UserError: no trained fold, runs that do not fit together or to the data, an OOF score that is no better than
            chance, a faulty submission, or one that was refused.
    """
    competition, paths = project.competition, project.paths
    names = names or [run_name(recipe, seed, overrides or {}) for seed in seeds or [0]]
    data = load_dataset_for(project, names)
    found = ensemble_runs(project, names, data, method, per_class)
    names, result = found.names, found.score
    show_ensemble(project, found, method)
    sample = sample_submission(competition, paths)
    units = data.test_groups.index.tolist()
    sample = align_sample(competition, sample, units)
    test = fill_missing(competition, found.test, units, found.nothing)
    behind = fill_missing(competition, found.test_probable, units, found.prior, quiet=True)
    table_out = build_submission(competition, test, sample)
    check_submission(competition, table_out, sample)

    text = table_out.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    digest = files.sha256_of_text(text)
    board = leaderboard_of(competition.upload)
    with files.lock(paths.submissions):
        before = read_ledger(project.workspace)
        before = before[before["competition"] == paths.name]
        say("OOF score", describe_score(competition, result, data.train["unit"].nunique()))
        _show_per_fold(competition, result)
        mark = _mark(competition, digest, found)
        known = [content_id_of(row, files.read_json(record_path(project, row)) or {}) for _, row in before.iterrows()]
        same = before[np.array(known, dtype=object) == mark]
        row = same.iloc[-1].to_dict() if len(same) and not force else None
        if row is not None and row["status"] != "written":
            say("submit", f"the same predictions are already in {row['file']} ({_fate(project, row)})")
            return
        if not force:
            _refuse_chance(competition, found)
        new = _new_row(project, names, result, digest)
        row = new if row is None else {**new, "when": row["when"], "file": row["file"]}
        file = project.workspace.root / row["file"]
        if not file.is_file() or files.sha256(file) != digest:
            files.write_text(text, file)
        written = read_submission(file)
        check_submission(competition, written, sample)
        origin = {"runs": names, "score": result, "inputs": found.inputs, "sha256": digest, "mark": mark}
        origin |= {"nothing": found.nothing.tolist(), "decisions": holds_decisions(competition, sample)}
        origin["words"] = class_words(competition, sample)
        save_choice(project, found)
        found.decision.fitted.save(paths.recheck_file(file, "npz"))
        behind_score = _out_of_fold(competition, found).to_csv(index=False, float_format="%.17g", lineterminator="\n")
        files.write_text(behind_score, paths.recheck_file(file, "csv"))  # with all digits: ties would be others
        write_record(project, row, LeaderboardResult(status="written"), origin)
        say("submit", f"{len(written):,} rows, checked -> {project.display(file)}")
        if not len(written):
            warn("", "the public test part is empty: what the notebook predicts cannot be compared with home")
        if words := explain_words(competition, sample):
            say("", words)
        if dry_run:
            try:
                board.preflight(competition, paths)
                say("submit", "dry run: nothing was placed; without DRY_RUN it would be")
            except UnreachableError as reason:
                warn("submit", f"dry run: nothing was placed, and Kaggle was not asked: {reason}")
            return
    entry = SubmissionEntry(
        file=file,
        table=written,
        probabilities=behind,
        groups=data.test_groups,
        message=_message(project, names, result, mark),
        content_id=mark,
        sample=sample,
        pack=lambda: pack_submission(project, data, found),
        note=lambda facts: write_record(project, row, LeaderboardResult(status="written", facts=facts), origin),
        again=force,
    )
    # A notebook takes hours: others may be submitted meanwhile, and the same ones need not wait.
    hours = competition.upload == "notebook"
    with files.exclusive_lock(bundle_folder(project, names), UNDER_WAY) if hours else files.lock(file):
        placed = board.submit(competition, paths, entry)
        write_record(project, row, placed, origin)
    looks = int((before["status"] == "scored").sum())
    _show_placed(project, placed, looks)
    if placed.problem:
        raise UserError(f"the submission was refused: {placed.problem}", row["file"])


def _refuse_chance(competition: Competition, found: Ensemble) -> None:
    """A net that knows nothing is not submitted by mistake: chance is what one knows without looking at an image."""
    metric, oof = metric_of(competition), found.oof
    chance, value = chance_score(competition, oof.targets, found.prior), metric(oof.targets, oof.predictions)
    if metric.sign * (value - chance) <= 0:  # undefined ones pass
        what = f"the OOF score, {metric.title} {value:.4f}, is no better than chance, {chance:.4f}"
        raise UserError(what, " ".join(found.names), "Look at labels and training; FORCE=1 submits it all the same")


def _fate(project: Project, row: dict[str, str]) -> str:
    """What became of a submission that was placed before."""
    number = f" as {row['ref']}" if row["ref"] else ""
    if row["status"] == "error":
        kept = files.read_json(record_path(project, row)) or {}
        return f"refused{number}: {kept.get('problem') or 'no reason known'}; FORCE=1 submits it again"
    scored = ", ".join(f"{part} {row[part]}" for part in ("public", "private") if row[part])
    return f"{row['status']}{number}; {scored or 'no score yet: make scores fetches it'}"


def _new_row(project: Project, names: list[str], result: dict[str, Any], digest: str) -> dict[str, str]:
    when = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    file = project.paths.submissions / f"{when}-{combined_name(names)}.csv"
    count = 1
    while file.exists():  # two within one second
        count += 1
        file = file.with_name(f"{when}-{combined_name(names)}-{count}.csv")
    return {
        "when": when,
        "competition": project.paths.name,
        "runs": " ".join(names),
        "file": file.relative_to(project.workspace.root).as_posix(),
        "sha256": digest,
        "metric": result["metric"],
        "oof": format_ledger_score(result["value"]),
        "low": format_ledger_score(result["low"]),
        "high": format_ledger_score(result["high"]),
        "folds": " ".join(map(str, result["folds_done"])),
    }


def _out_of_fold(competition: Competition, found: Ensemble) -> pd.DataFrame:
    """The OOF predictions that the score is of, and the probabilities behind them, for `make recheck`."""
    table = pd.DataFrame({"id": found.oof.names, "fold": found.oof.fold})
    behind = [f"behind {name}" for name in competition.prediction_columns]
    table[competition.prediction_columns], table[behind] = found.oof.predictions, found.probable.predictions
    return table


def _mark(competition: Competition, digest: str, found: Ensemble) -> str:
    """The mark of a new one: of its file.

    Where a notebook is submitted, of what predicts, for the test set at home may be three rows that two nets see alike.
    """
    if competition.upload != "notebook":
        return f"file {digest[:12]}"
    score = {key: value for key, value in found.score.items() if key != "facts"}  # as of older versions
    return f"folds {files.fingerprint([digest, found.inputs, score], 12)}"


def _message(project: Project, names: list[str], result: dict[str, Any], mark: str) -> str:
    title = metric_title(project.competition, result["metric"])
    value = score_in_words(result["value"])
    folds_done = f"{len(result['folds_done'])} of {project.competition.folds.k} folds"
    commit = git_commit(project.workspace.root)
    code = f", commit {commit}" if commit else ""
    label = "+".join(names)
    label = label if len(label) <= 200 else f"{label[:197]}..."
    return f"medfold {label}, OOF {title} {value}, {folds_done}{code}, {mark}"


def _show_per_fold(competition: Competition, result: dict[str, Any]) -> None:
    title = metric_title(competition, result["metric"])
    values = [score_in_words(value) for value in result["per_fold"].values()]
    print_table(["fold", *result["per_fold"]], [[title, *values]])


def _show_placed(project: Project, placed: LeaderboardResult, looks_before: int) -> None:
    for fact, value in placed.lines:
        say(fact, value)
    if placed.ranking is not None:
        marked = [placed.own_row] if placed.own_row is not None else []
        rows = placed.ranking.astype(object).where(placed.ranking.notna(), "").to_numpy().tolist()
        cells = [[f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row] for row in rows]
        print_table(placed.ranking.columns, cells, marked)
    look = f", look {looks_before + 1} at this leaderboard" if placed.status == "scored" else ""
    say("ledger", f"{project.display(project.workspace.ledger)}{look}")
    say("", RESEARCH)
