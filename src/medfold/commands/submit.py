"""`make submit`: combines trained folds into a submission, checks, uploads and records it; never uploads twice."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from medfold import files
from medfold.commands.ensemble import show_ensemble
from medfold.competition import RESEARCH_NOTICE, Competition, Project, run_name
from medfold.console import print_table, say, warn
from medfold.data import sample_submission
from medfold.ensemble import Ensemble, ensemble_runs, save_choice
from medfold.errors import UnreachableError, UserError
from medfold.notebooks import PACKING_MESSAGE, bundle_folder, pack_submission
from medfold.runs import combined_name, git_commit, load_dataset_for
from medfold.scoring import chance_score, describe_score, format_score, metric_of, metric_title
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
    """Ensembles the trained folds of one run or several; writes, checks, submits and records the submission.

    The ledger gets its row before the upload, so that a submission that was killed in between is found again.

    Args:
        recipe, overrides, seeds: identify the runs, as in `train`.
        names: run names, instead of recipe, overrides and seeds. Defaults to none.
        method, per_class: how to combine the runs, as in `ensemble`.
        force: submit even if the same predictions were submitted before, or the OOF score is no better than chance.
            Defaults to False.
        dry_run: do everything except the upload. Defaults to False.

    Raises:
        UserError: no trained fold, runs that do not fit together or to the data, an OOF score no better than chance,
            or a faulty or refused submission.
    """
    competition, paths = project.competition, project.paths
    names = names or [run_name(recipe, seed, overrides or {}) for seed in seeds or [0]]
    data = load_dataset_for(project, names)
    ensemble = ensemble_runs(project, names, data, method, per_class)
    names, score = ensemble.names, ensemble.score
    show_ensemble(project, ensemble, method)
    sample_table = sample_submission(competition, paths)
    units = data.test_groups.index.tolist()
    sample_table = align_sample(competition, sample_table, units)
    test_predictions = fill_missing(competition, ensemble.test, units, ensemble.fallback)
    probabilities = fill_missing(competition, ensemble.test_probabilities, units, ensemble.prior, quiet=True)
    submission = build_submission(competition, test_predictions, sample_table)
    check_submission(competition, submission, sample_table)

    text = submission.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    digest = files.sha256_of_text(text)
    leaderboard = leaderboard_of(competition.upload)
    with files.lock(paths.submissions):
        earlier = read_ledger(project.workspace)
        earlier = earlier[earlier["competition"] == paths.name]
        say("OOF score", describe_score(competition, score, data.train["unit"].nunique()))
        _show_per_fold(competition, score)
        content_id = _content_id(competition, digest, ensemble)
        earlier_ids = [
            content_id_of(row, files.read_json(record_path(project, row)) or {}) for _, row in earlier.iterrows()
        ]
        same = earlier[np.array(earlier_ids, dtype=object) == content_id]
        row = same.iloc[-1].to_dict() if len(same) and not force else None
        if row is not None and row["status"] != "written":
            say("submit", f"the same predictions are already in {row['file']} ({_earlier_status(project, row)})")
            return
        if not force:
            _refuse_chance(competition, ensemble)
        new_row = _new_row(project, names, score, digest)
        row = new_row if row is None else {**new_row, "when": row["when"], "file": row["file"]}
        file = project.workspace.root / row["file"]
        if not file.is_file() or files.sha256(file) != digest:
            files.write_text(text, file)
        written = read_submission(file)
        check_submission(competition, written, sample_table)
        record = {"runs": names, "score": score, "inputs": ensemble.inputs, "sha256": digest, "mark": content_id}
        record |= {"nothing": ensemble.fallback.tolist(), "decisions": holds_decisions(competition, sample_table)}
        record["words"] = class_words(competition, sample_table)
        save_choice(project, ensemble)
        ensemble.choice.fitted.save(paths.recheck_file(file, "npz"))
        oof_text = _oof_table(competition, ensemble).to_csv(index=False, float_format="%.17g", lineterminator="\n")
        files.write_text(oof_text, paths.recheck_file(file, "csv"))  # with all digits, as rounding would change ties
        write_record(project, row, LeaderboardResult(status="written"), record)
        say("submit", f"{len(written):,} rows, checked -> {project.display(file)}")
        if not len(written):
            warn(
                "", "the public test part is empty: predictions of the notebook cannot be compared with the local ones"
            )
        if explanation := explain_words(competition, sample_table):
            say("", explanation)
        if dry_run:
            try:
                leaderboard.preflight(competition, paths)
                say("submit", "dry run: nothing was submitted; without DRY_RUN it would be")
            except UnreachableError as reason:
                warn("submit", f"dry run: nothing was submitted, and Kaggle was not asked: {reason}")
            return
    entry = SubmissionEntry(
        file=file,
        table=written,
        probabilities=probabilities,
        groups=data.test_groups,
        message=_message(project, names, score, content_id),
        content_id=content_id,
        sample=sample_table,
        pack=lambda: pack_submission(project, data, ensemble),
        record=lambda entries: write_record(project, row, LeaderboardResult("written", record_entries=entries), record),
        resubmit=force,
    )
    # A notebook takes hours: other submissions continue meanwhile, and a second one of these runs fails at once.
    is_notebook = competition.upload == "notebook"
    with files.exclusive_lock(bundle_folder(project, names), PACKING_MESSAGE) if is_notebook else files.lock(file):
        outcome = leaderboard.submit(competition, paths, entry)
        write_record(project, row, outcome, record)
    num_scored = int((earlier["status"] == "scored").sum())
    _show_outcome(project, outcome, num_scored)
    if outcome.problem:
        raise UserError(f"the submission was refused: {outcome.problem}", row["file"], "Correct this, and submit again")


def _refuse_chance(competition: Competition, ensemble: Ensemble) -> None:
    """Refuses an OOF score no better than chance, the score of a constant prediction that uses no image."""
    metric, oof = metric_of(competition), ensemble.oof
    chance, value = chance_score(competition, oof.targets, ensemble.prior), metric(oof.targets, oof.predictions)
    if metric.sign * (value - chance) <= 0:  # False if undefined
        problem = f"the OOF score, {metric.title} {value:.4f}, is no better than chance, {chance:.4f}"
        raise UserError(problem, " ".join(ensemble.names), "Check labels and training; FORCE=1 submits it anyway")


def _earlier_status(project: Project, row: dict[str, str]) -> str:
    """The status of an earlier submission, as text."""
    reference = f" as {row['ref']}" if row["ref"] else ""
    if row["status"] == "error":
        record = files.read_json(record_path(project, row)) or {}
        return f"refused{reference}: {record.get('problem') or 'reason unknown'}; FORCE=1 submits it again"
    scored = ", ".join(f"{part} {row[part]}" for part in ("public", "private") if row[part])
    return f"{row['status']}{reference}; {scored or 'no score yet: make scores fetches it'}"


def _new_row(project: Project, names: list[str], score: dict[str, Any], digest: str) -> dict[str, str]:
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
        "metric": score["metric"],
        "oof": format_ledger_score(score["value"]),
        "low": format_ledger_score(score["low"]),
        "high": format_ledger_score(score["high"]),
        "folds": " ".join(map(str, score["folds_done"])),
    }


def _oof_table(competition: Competition, ensemble: Ensemble) -> pd.DataFrame:
    """The scored OOF predictions, and their probabilities, for `make recheck`."""
    table = pd.DataFrame({"id": ensemble.oof.names, "fold": ensemble.oof.fold})
    probability_columns = [f"behind {name}" for name in competition.prediction_columns]
    table[competition.prediction_columns] = ensemble.oof.predictions
    table[probability_columns] = ensemble.probabilities.predictions
    return table


def _content_id(competition: Competition, digest: str, ensemble: Ensemble) -> str:
    """The content id of a submission, made from its file.

    For a notebook it is made from the trained folds: the public test set may have three rows, for which different
    models can predict the same.
    """
    if competition.upload != "notebook":
        return f"file {digest[:12]}"
    score = {key: value for key, value in ensemble.score.items() if key != "facts"}  # as in older versions
    return f"folds {files.fingerprint([digest, ensemble.inputs, score], 12)}"


def _message(project: Project, names: list[str], score: dict[str, Any], content_id: str) -> str:
    title = metric_title(project.competition, score["metric"])
    value = format_score(score["value"])
    folds_done = f"{len(score['folds_done'])} of {project.competition.folds.k} folds"
    commit = git_commit(project.workspace.root)
    code = f", commit {commit}" if commit else ""
    label = "+".join(names)
    label = label if len(label) <= 200 else f"{label[:197]}..."
    return f"medfold {label}, OOF {title} {value}, {folds_done}{code}, {content_id}"


def _show_per_fold(competition: Competition, score: dict[str, Any]) -> None:
    title = metric_title(competition, score["metric"])
    values = [format_score(value) for value in score["per_fold"].values()]
    print_table(["fold", *score["per_fold"]], [[title, *values]])


def _show_outcome(project: Project, outcome: LeaderboardResult, num_scored_before: int) -> None:
    for fact, value in outcome.lines:
        say(fact, value)
    if outcome.ranking is not None:
        marked = [outcome.own_row] if outcome.own_row is not None else []
        rows = outcome.ranking.astype(object).where(outcome.ranking.notna(), "").to_numpy().tolist()
        cells = [[f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row] for row in rows]
        print_table(outcome.ranking.columns, cells, marked)
    count_text = (
        f", scored submission {num_scored_before + 1} of this leaderboard" if outcome.status == "scored" else ""
    )
    say("ledger", f"{project.display(project.workspace.ledger)}{count_text}")
    say("", RESEARCH_NOTICE)
