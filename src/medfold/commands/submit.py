"""`make submit`: combines trained folds into a submission, checks, uploads and records it; never uploads twice."""

from functools import partial

from medfold.commands.shared.show_ensemble import combine_and_show
from medfold.commands.shared.show_result import show_result
from medfold.competition import Competition, CompetitionFacts
from medfold.data import describe_patient_units
from medfold.ensemble import Ensemble
from medfold.errors import UnavailableError, UserError
from medfold.notebooks import pack_submission
from medfold.project_root import display_path
from medfold.scoring import OofScore, describe_score, format_score, metric_title
from medfold.submission import (
    AlreadySubmitted,
    Leaderboard,
    LedgerRow,
    RecordedSubmission,
    describe_missing,
    draft_submission,
    explain_class_words,
    leaderboard_of,
    read_record,
    record_draft,
    submit_recorded,
)
from medfold.terminal.command_text import command, variable
from medfold.terminal.console import print_table, say, warn
from medfold.text import count_of, folds_as_text


def submit(
    competition: Competition,
    run_names: list[str] | None = None,
    method: str | None = None,
    per_class: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> None:
    """Ensembles the trained folds of one run or several; writes, checks, submits and records the submission.

    The ledger gets its row before the upload, so that a submission that was killed in between is found again.

    Args:
        competition: the competition of the runs; `upload` of its facts says where it is scored.
        run_names: names of the runs. Defaults to `baseline`.
        method: name of the method to combine the runs by. Defaults to the choice by cross-fitted scores.
        per_class: fit separate weights for each class or label. Defaults to False.
        force: submit even if the same predictions were submitted before, or the OOF score is no better than chance.
            Defaults to False.
        dry_run: do everything except the upload. Defaults to False.

    Raises:
        UserError: no trained fold, runs that do not fit together or to the data, an OOF score no better than chance,
            or a faulty or refused submission.
    """
    dataset, ensemble, _ = combine_and_show(competition, run_names or ["baseline"], method, per_class)
    _warn_of_missing_folds(competition, ensemble)
    units = dataset.test_groups.index.tolist()
    if text := describe_missing(ensemble.test_predictions, units, ensemble.fallback):
        warn("submit", text)
    draft = draft_submission(competition, ensemble, dataset.test_groups)
    _show_score(competition.facts, ensemble.score, num_units=dataset.num_units)
    leaderboard = leaderboard_of(competition)
    recorded = record_draft(competition, ensemble, draft, force)
    if isinstance(recorded, AlreadySubmitted):
        row = recorded.row
        say("submit", f"the same predictions are already in {row.file} ({_earlier_status(competition, row)})")
        return
    _show_recorded(competition, recorded)
    if dry_run:
        _check_upload(leaderboard)
        return
    pack = partial(pack_submission, competition, dataset, ensemble)
    result = submit_recorded(competition, recorded, leaderboard, pack, resubmit=force)
    show_result(competition, result, recorded.num_scored_before)
    if result.problem:
        file = recorded.row.file
        raise UserError(f"the submission was refused: {result.problem}", file, "Correct this, and submit again")


def _warn_of_missing_folds(competition: Competition, ensemble: Ensemble) -> None:
    """Warns of each run that is not finished, with the command that trains its other folds."""
    num_folds, trained = competition.facts.folds.k, ensemble.score.trained_folds
    missing = [number for number in range(num_folds) if number not in trained]
    if not missing:
        return
    several = len(missing) > 1
    what = f"{folds_as_text(missing, num_folds)} {'are' if several else 'is'}"
    for run in ensemble.runs:  # they have the same folds
        text = f"{display_path(run.paths.folder)}: {what} not trained; this submits {len(trained)} of {num_folds} folds"
        fix = f"Train {'them' if several else 'it'}: {run.train_command(FOLD=' '.join(map(str, missing)))}"
        warn("submit", f"{text}. {fix}")


def _show_recorded(competition: Competition, recorded: RecordedSubmission) -> None:
    """Prints the written file, and how its cells are to be read."""
    say("submit", f"{count_of(len(recorded.table), 'row')}, checked -> {display_path(recorded.file)}")
    if not len(recorded.table):
        warn("", "the public test set is empty: predictions of the notebook cannot be compared with the local ones")
    if text := describe_patient_units(competition.facts):
        warn("privacy", text)
    if explanation := explain_class_words(competition.facts, recorded.draft.sample_submission):
        say("", explanation)


def _check_upload(leaderboard: Leaderboard) -> None:
    """Checks whether the submission could be uploaded, for a dry run."""
    try:
        leaderboard.preflight()
    except UnavailableError as reason:
        warn("submit", f"dry run: nothing was submitted, and Kaggle was not asked: {reason}")
    else:
        say("submit", f"dry run: nothing was submitted; without {variable('DRY_RUN')} it would be")


def _earlier_status(competition: Competition, row: LedgerRow) -> str:
    """Returns the status of an earlier submission, as text."""
    reference = f" as {row.ref}" if row.ref else ""
    if row.status == "error":
        record = read_record(competition, row)
        problem = (record and record.problem) or "reason unknown"
        return f"refused{reference}: {problem}; {variable('FORCE')} submits it again"
    cells = row.cells()
    scored = ", ".join(f"{part} {cells[part]}" for part in ("public", "private") if cells[part])
    return f"{row.status}{reference}; {scored or 'no score yet: ' + command('scores') + ' fetches it'}"


def _show_score(facts: CompetitionFacts, score: OofScore, num_units: int) -> None:
    """Prints the OOF score with its interval, and the score of each fold."""
    say("OOF score", describe_score(facts, score, num_units))
    title = metric_title(facts, score.metric)
    values = [format_score(value) for value in score.per_fold.values()]
    print_table(["fold", *score.per_fold], [[title, *values]])
