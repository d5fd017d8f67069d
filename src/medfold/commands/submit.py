"""`make submit`: combines trained folds into a submission, checks, uploads and records it; never uploads twice."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from medfold import files
from medfold.commands.ensemble import show_ensemble
from medfold.competition import RESEARCH_NOTICE, Competition, Project, run_name
from medfold.console import print_table, say, warn
from medfold.data import Dataset, sample_submission
from medfold.ensemble import Ensemble, ensemble_runs, save_choice, summarise_ensemble
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
    show_ensemble(project, summarise_ensemble(competition, ensemble), method)
    draft = _draft(project, data, ensemble)
    leaderboard = leaderboard_of(competition.upload)
    with files.lock(paths.submissions):
        say("OOF score", describe_score(competition, ensemble.score, data.train["unit"].nunique()))
        _show_per_fold(competition, ensemble.score)
        ledger = read_ledger(project.workspace)
        earlier = ledger[ledger["competition"] == paths.name]
        same = None if force else _same_submission(project, earlier, draft)
        if same is not None and same["status"] != "written":
            say("submit", f"the same predictions are already in {same['file']} ({_earlier_status(project, same)})")
            return
        if not force:
            _refuse_chance(competition, ensemble)
        row = _row(project, ensemble, draft, same)
        record = _record(competition, ensemble, draft)
        written = _write(project, ensemble, draft, row, record)
        if dry_run:
            _check_upload(project)
            return
    entry = SubmissionEntry(
        file=project.workspace.root / row["file"],
        table=written,
        probabilities=draft.probabilities,
        groups=data.test_groups,
        message=_message(project, ensemble, draft),
        content_id=draft.content_id,
        sample=draft.sample,
        pack=lambda: pack_submission(project, data, ensemble),
        record=lambda entries: write_record(project, row, LeaderboardResult("written", record_entries=entries), record),
        resubmit=force,
    )
    # A notebook takes hours: other submissions continue meanwhile, and a second one of these runs fails at once.
    is_notebook = competition.upload == "notebook"
    folder = bundle_folder(project, ensemble.run_names)
    with files.exclusive_lock(folder, PACKING_MESSAGE) if is_notebook else files.lock(entry.file):
        outcome = leaderboard.submit(competition, paths, entry)
        write_record(project, row, outcome, record)
    _show_outcome(project, outcome, num_scored_before=int((earlier["status"] == "scored").sum()))
    if outcome.problem:
        raise UserError(f"the submission was refused: {outcome.problem}", row["file"], "Correct this, and submit again")


@dataclass(frozen=True)
class _Draft:
    """A submission that is not written yet.

    Args:
        text: content of the file.
        sha256: hash of the text.
        content_id: by which the submission is found again.
        sample: the sample submission with a row for each test unit.
        probabilities: test probabilities, a row per unit.
    """

    text: str
    sha256: str
    content_id: str
    sample: pd.DataFrame
    probabilities: pd.DataFrame


def _draft(project: Project, data: Dataset, ensemble: Ensemble) -> _Draft:
    competition, units = project.competition, data.test_groups.index.tolist()
    sample = align_sample(competition, sample_submission(competition, project.paths), units)
    predictions = fill_missing(competition, ensemble.test_predictions, units, ensemble.fallback)
    probabilities = fill_missing(competition, ensemble.test_probabilities, units, ensemble.prior, quiet=True)
    table = build_submission(competition, predictions, sample)
    check_submission(competition, table, sample)
    text = table.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    digest = files.sha256_of_text(text)
    return _Draft(text, digest, _content_id(competition, digest, ensemble), sample, probabilities)


def _content_id(competition: Competition, digest: str, ensemble: Ensemble) -> str:
    """The content id of a submission, made from its file.

    For a notebook it is made from the trained folds: the public test set may have three rows, for which different
    models can predict the same.
    """
    if competition.upload != "notebook":
        return f"file {digest[:12]}"
    score = {key: value for key, value in ensemble.score.items() if key != "facts"}  # as in older versions
    return f"folds {files.fingerprint([digest, ensemble.inputs, score], 12)}"


def _same_submission(project: Project, earlier: pd.DataFrame, draft: _Draft) -> dict[str, str] | None:
    """Returns the last row of the ledger with the same predictions, if there is one."""
    for row in reversed(earlier.to_dict("records")):
        if content_id_of(row, files.read_json(record_path(project, row)) or {}) == draft.content_id:
            return row
    return None


def _row(project: Project, ensemble: Ensemble, draft: _Draft, same: dict[str, str] | None) -> dict[str, str]:
    """Returns the row of the ledger; time and file are those of a submission that was written before, if any."""
    score = ensemble.score
    when, file = (same["when"], same["file"]) if same else _new_file(project, ensemble.run_names, draft)
    return {
        "when": when,
        "competition": project.paths.name,
        "runs": " ".join(ensemble.run_names),
        "file": file,
        "sha256": draft.sha256,
        "metric": score["metric"],
        "oof": format_ledger_score(score["value"]),
        "low": format_ledger_score(score["low"]),
        "high": format_ledger_score(score["high"]),
        "folds": " ".join(map(str, score["folds_done"])),
    }


def _new_file(project: Project, names: list[str], draft: _Draft) -> tuple[str, str]:
    """Returns the time, and the path below the project folder, of a new submission.

    A command that was killed after it had written the file, and before the ledger, left a file without a row: it is
    used again.
    """
    folder, name = project.paths.submissions, combined_name(names)
    listed = set(read_ledger(project.workspace)["file"])
    for file in sorted(folder.glob(f"????????-??????-{name}*.csv")):
        path = file.relative_to(project.workspace.root).as_posix()
        if path not in listed and files.sha256(file) == draft.sha256:
            return file.name[: len("20260101-000000")], path
    when = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    file = folder / f"{when}-{name}.csv"
    count = 1
    while file.exists():  # two within one second
        count += 1
        file = file.with_name(f"{when}-{combined_name(names)}-{count}.csv")
    return when, file.relative_to(project.workspace.root).as_posix()


def _record(competition: Competition, ensemble: Ensemble, draft: _Draft) -> dict[str, Any]:
    """Returns the contents of the record beside the submission."""
    return {
        "runs": ensemble.run_names,
        "score": ensemble.score,
        "inputs": ensemble.inputs,
        "sha256": draft.sha256,
        "mark": draft.content_id,
        "nothing": ensemble.fallback.tolist(),
        "decisions": holds_decisions(competition, draft.sample),
        "words": class_words(competition, draft.sample),
    }


def _write(
    project: Project, ensemble: Ensemble, draft: _Draft, row: dict[str, str], record: dict[str, Any]
) -> pd.DataFrame:
    """Writes the submission with all that `make recheck` needs, checks the file, and adds it to the ledger.

    Returns:
        The table as it was read back from the file.
    """
    competition, paths, file = project.competition, project.paths, project.workspace.root / row["file"]
    if not file.is_file() or files.sha256(file) != draft.sha256:
        files.write_text(draft.text, file)
    written = read_submission(file)
    check_submission(competition, written, draft.sample)
    save_choice(project, ensemble)
    ensemble.choice.fitted.save(paths.recheck_file(file, "npz"))
    oof_text = _oof_table(competition, ensemble).to_csv(index=False, float_format="%.17g", lineterminator="\n")
    files.write_text(oof_text, paths.recheck_file(file, "csv"))  # with all digits, as rounding would change ties
    write_record(project, row, LeaderboardResult(status="written"), record)
    say("submit", f"{len(written):,} rows, checked -> {project.display(file)}")
    if not len(written):
        warn("", "the public test part is empty: predictions of the notebook cannot be compared with the local ones")
    if explanation := explain_words(competition, draft.sample):
        say("", explanation)
    return written


def _oof_table(competition: Competition, ensemble: Ensemble) -> pd.DataFrame:
    """The scored OOF predictions, and their probabilities, for `make recheck`."""
    table = pd.DataFrame({"id": ensemble.oof.unit_ids, "fold": ensemble.oof.fold})
    probability_columns = [f"behind {name}" for name in competition.prediction_columns]
    table[competition.prediction_columns] = ensemble.oof.predictions
    table[probability_columns] = ensemble.probabilities.predictions
    return table


def _check_upload(project: Project) -> None:
    """Checks whether the submission could be uploaded, for a dry run."""
    try:
        leaderboard_of(project.competition.upload).preflight(project.competition, project.paths)
    except UnreachableError as reason:
        warn("submit", f"dry run: nothing was submitted, and Kaggle was not asked: {reason}")
    else:
        say("submit", "dry run: nothing was submitted; without DRY_RUN it would be")


def _refuse_chance(competition: Competition, ensemble: Ensemble) -> None:
    """Refuses an OOF score no better than chance, the score of a constant prediction that uses no image."""
    metric, oof = metric_of(competition), ensemble.oof
    chance, value = chance_score(competition, oof.targets, ensemble.prior), metric(oof.targets, oof.predictions)
    if metric.sign * (value - chance) <= 0:  # False if undefined
        problem = f"the OOF score, {metric.title} {value:.4f}, is no better than chance, {chance:.4f}"
        raise UserError(problem, " ".join(ensemble.run_names), "Check labels and training; FORCE=1 submits it anyway")


def _earlier_status(project: Project, row: dict[str, str]) -> str:
    """The status of an earlier submission, as text."""
    reference = f" as {row['ref']}" if row["ref"] else ""
    if row["status"] == "error":
        record = files.read_json(record_path(project, row)) or {}
        return f"refused{reference}: {record.get('problem') or 'reason unknown'}; FORCE=1 submits it again"
    scored = ", ".join(f"{part} {row[part]}" for part in ("public", "private") if row[part])
    return f"{row['status']}{reference}; {scored or 'no score yet: make scores fetches it'}"


def _message(project: Project, ensemble: Ensemble, draft: _Draft) -> str:
    """Returns the text that is shown with the submission at Kaggle."""
    score = ensemble.score
    title = metric_title(project.competition, score["metric"])
    value = format_score(score["value"])
    folds_done = f"{len(score['folds_done'])} of {project.competition.folds.k} folds"
    commit = git_commit(project.workspace.root)
    code = f", commit {commit}" if commit else ""
    label = "+".join(ensemble.run_names)
    label = label if len(label) <= 200 else f"{label[:197]}..."
    return f"medfold {label}, OOF {title} {value}, {folds_done}{code}, {draft.content_id}"


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
