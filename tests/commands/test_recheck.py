"""make recheck: unchanged files are equal, and one changed number in any file is found."""

import shutil

import pytest

from medfold.commands.recheck import recheck
from medfold.earlier_versions import RECORD, with_former_names
from medfold.system import json_files
from tests.support.helpers import refused, slow_but_first
from tests.support.rechecks import RUN_CHANGES, change_last_digit, change_number, edit_json, first_file


def test_recheck_of_unchanged_files_finds_no_difference(submitted, capsys):
    recheck(submitted)
    assert capsys.readouterr().out.count("recomputed: identical") == 4
    recheck(submitted, ["one"])
    assert capsys.readouterr().out.count("recomputed: identical") == 2


@pytest.mark.slow
def test_recheck_reads_a_submission_of_an_earlier_version(submitted, capsys):
    path = first_file(submitted, "*.json")
    written = with_former_names(json_files.read(path), RECORD)
    assert {"mark", "nothing", "decisions", "words"} <= set(written)
    assert {"units", "optimistic", "also"} <= set(written["score"])
    json_files.write(written, path)
    table = first_file(submitted, "recheck/*.csv")
    assert "probability of target" in table.read_text()
    table.write_text(table.read_text().replace("probability of target", "behind target"))
    recheck(submitted, ["one"])
    assert capsys.readouterr().out.count("recomputed: identical") == 2


def swap_predictions(path):
    """Exchanges the predictions of the first and the last row."""
    head, first, *between, last = path.read_text().splitlines()
    one, other = first.split(",", 2), last.split(",", 2)
    one[2], other[2] = other[2], one[2]
    path.write_text("\n".join([head, ",".join(one), *between, ",".join(other), ""]))


# Changes to the files of a competition, by name: the change, and the difference as a pattern.
CHANGES = {
    **{
        name: (lambda competition, change=change: change(competition.paths.run("one")), f"one: {difference}")
        for name, (change, difference) in RUN_CHANGES.items()
    },
    "empty oof.csv of the run": (
        lambda competition: competition.paths.run("one").oof.write_text(""),
        r"one: runs/small/one/oof\.csv: damaged \(empty\)",
    ),
    "done.json that is not JSON": (
        lambda competition: competition.paths.run("one").fold(1).trained_marker.write_text("{"),
        r"one: runs/small/one/fold1/done\.json: not JSON, or cut off",
    ),
    "submission": (
        lambda competition: change_last_digit(first_file(competition, "*.csv")),
        r"-one\.csv: it is not the file that was checked, .*: 1 row differs from the folds' predictions; test_\w+ ",
    ),
    "score of a submission": (
        lambda competition: change_number(first_file(competition, "*.json"), "score", "value"),
        r"-one\.csv: value is 0\.\d+, saved 0\.\d+, .*: oof is 0\.\d+ in submissions/ledger\.csv, 0\.\d+ in the record",
    ),
    "interval of a submission": (
        lambda competition: change_number(first_file(competition, "*.json"), "score", "high"),
        r"-one\.csv: high is 0\.\d+, saved 0\.\d+, .*: oof_high is 0\.\d+ in submissions/ledger\.csv, 0",
    ),
    "folds of a submission": (
        lambda competition: edit_json(
            first_file(competition, "*.json"), lambda saved: saved["score"]["trained_folds"].pop()
        ),
        r"-one\.csv: trained_folds are \[0, 1, 2\], saved \[0, 1\], .*: trained_folds is 0 1 2 in submissions/ledger",
    ),
    "other runs": (
        lambda competition: edit_json(first_file(competition, "*.json"), lambda saved: saved.update(runs=["gone"])),
        r"-one\.csv: the inputs of the submission have no test predictions of run 'gone', .*: runs is one in sub",
    ),
    "OOF score in the ledger": (
        lambda competition: competition.project_paths.ledger.write_text(
            competition.project_paths.ledger.read_text().replace(",auc,0.", ",auc,1.")
        ),
        r"-one\.csv: oof is 1(\.\d+) in submissions/ledger\.csv, 0\1 in the record",
    ),
    "runs in the ledger": (
        lambda competition: competition.project_paths.ledger.write_text(
            competition.project_paths.ledger.read_text().replace(",one,", ",oe,")
        ),
        r"-one\.csv: runs is oe in submissions/ledger\.csv, one in the record beside the file",
    ),
    "record without a score": (
        lambda competition: edit_json(first_file(competition, "*.json"), lambda saved: saved.pop("score")),
        r"-one\.csv: \S+-one\.json: no key 'score'",
    ),
    "OOF of a submission": (
        lambda competition: swap_predictions(first_file(competition, "recheck/*.csv")),
        r"-one\.csv: low is 0\.\d+, saved 0\.\d+, .*: high is 0\.\d+, saved 0\.\d+",
    ),
}


@pytest.mark.parametrize(
    "what",
    slow_but_first("score", *(name for name in CHANGES if name != "score")),
)
def test_one_changed_number_is_named(submitted, what):
    change, difference = CHANGES[what]
    change(submitted)
    with refused(rf"\d+ differences?: .*{difference}") as caught:
        recheck(submitted)
    assert "\n" not in str(caught.value)


def test_missing_inputs_are_reported_and_are_no_difference(submitted, capsys):
    """One submission lacks its recheck file, another one a run that was deleted."""
    first_file(submitted, "recheck/*.npz").unlink()
    shutil.rmtree(submitted.paths.run("two").folder)
    recheck(submitted)
    said = capsys.readouterr().out
    assert said.count("cannot be recomputed: no ") == 2
    assert "no runs/small/two/run.json" in said
    assert said.count("recomputed: identical") == 1


def test_recheck_without_runs_is_refused(small):
    with refused("nothing to check. Run: make train COMPETITION=small"):
        recheck(small)
