"""make recheck: unchanged files are equal, and one changed number in any file is found."""

import shutil

import pytest

from medfold.commands.recheck import recheck
from medfold.earlier_versions import RECORD, with_former_names
from medfold.errors import UserError
from medfold.system import files
from tests.support.rechecks import change_last_digit, first_file


def test_recheck_of_unchanged_files_finds_no_difference(submitted, capsys):
    recheck(submitted)
    assert capsys.readouterr().out.count("computed again, equal") == 4
    recheck(submitted, ["one"])
    assert capsys.readouterr().out.count("computed again, equal") == 2


def test_recheck_reads_a_submission_of_an_earlier_version(submitted, capsys):
    path = first_file(submitted, "*.json")
    written = with_former_names(files.read_json(path), RECORD)
    assert {"mark", "nothing", "decisions", "words"} <= set(written)
    assert {"units", "optimistic", "also"} <= set(written["score"])
    files.write_json(written, path)
    table = first_file(submitted, "recheck/*.csv")
    assert "probability of target" in table.read_text()
    table.write_text(table.read_text().replace("probability of target", "behind target"))
    recheck(submitted, ["one"])
    assert capsys.readouterr().out.count("computed again, equal") == 2


def slow_but_first(first, *others):
    """Parameters of a test: all but the first are slow."""
    return [first, *(pytest.param(each, marks=pytest.mark.slow) for each in others)]


def change_number(path, *key):
    """Adds 1e-6 to a number in a JSON file."""
    content = files.read_json(path)
    here = content
    for step in key[:-1]:
        here = here[step]
    here[key[-1]] += 1e-6
    files.write_json(content, path)


def edit_json(path, edit):
    content = files.read_json(path)
    edit(content)
    files.write_json(content, path)


def swap_predictions(path):
    """Exchanges the predictions of the first and the last row."""
    head, first, *between, last = path.read_text().splitlines()
    one, other = first.split(",", 2), last.split(",", 2)
    one[2], other[2] = other[2], one[2]
    path.write_text("\n".join([head, ",".join(one), *between, ",".join(other), ""]))


CHANGES = {
    "oof.csv of a fold": lambda competition: change_last_digit(competition.paths.run("one").fold(1).oof),
    "oof.csv of the run": lambda competition: change_last_digit(competition.paths.run("one").oof),
    "test.csv of a fold": lambda competition: change_last_digit(competition.paths.run("one").fold(2).test),
    "score": lambda competition: change_number(competition.paths.run("one").score, "value"),
    "score of a fold": lambda competition: change_number(competition.paths.run("one").score, "per_fold", "1"),
    "interval": lambda competition: change_number(competition.paths.run("one").score, "low"),
    "optimism": lambda competition: edit_json(
        competition.paths.run("one").score, lambda kept: kept.update(is_optimistic=True)
    ),
    "a fold less": lambda competition: edit_json(
        competition.paths.run("one").score, lambda kept: kept["per_fold"].pop("1")
    ),
    "no further metric": lambda competition: edit_json(
        competition.paths.run("one").score, lambda kept: kept["facts"]["score"].update(more_metrics=["accuracy"])
    ),
    "folds of a submission": lambda competition: edit_json(
        first_file(competition, "*.json"), lambda kept: kept["score"]["trained_folds"].pop()
    ),
    "interval of a submission": lambda competition: change_number(first_file(competition, "*.json"), "score", "high"),
    "other runs": lambda competition: edit_json(
        first_file(competition, "*.json"), lambda kept: kept.update(runs=["gone"])
    ),
    "score without a metric": lambda competition: edit_json(
        competition.paths.run("one").score, lambda kept: kept.update(metric="none")
    ),
    "OOF score in the ledger": lambda competition: competition.project_paths.ledger.write_text(
        competition.project_paths.ledger.read_text().replace(",auc,0.", ",auc,1.")
    ),
    "number of units": lambda competition: change_number(competition.paths.run("one").score, "num_units"),
    "submission": lambda competition: change_last_digit(first_file(competition, "*.csv")),
    "score of a submission": lambda competition: change_number(first_file(competition, "*.json"), "score", "value"),
    "OOF of a submission": lambda competition: swap_predictions(first_file(competition, "recheck/*.csv")),
}


@pytest.mark.parametrize(
    "what",
    ["score", *slow_but_first("submission", *(name for name in CHANGES if name not in ("score", "submission")))],
)
def test_one_changed_number_is_found(submitted, what):
    CHANGES[what](submitted)
    with pytest.raises(UserError, match=r"\d+ differences?: ") as caught:
        recheck(submitted)
    assert "\n" not in str(caught.value)


def test_missing_inputs_are_reported_and_are_no_difference(submitted, capsys):
    """One submission lacks its recheck file, another one a run that was deleted."""
    first_file(submitted, "recheck/*.npz").unlink()
    shutil.rmtree(submitted.paths.run("two").folder)
    recheck(submitted)
    said = capsys.readouterr().out
    assert said.count("cannot be computed again: no ") == 2
    assert "no runs/small/two/run.json" in said
    assert said.count("computed again, equal") == 1


def test_recheck_without_runs_raises(small):
    with pytest.raises(UserError, match="nothing to check. Run: make train COMPETITION=small"):
        recheck(small)
