"""A submission, recomputed from the predictions of the folds."""

import json

import pytest

from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.competition import Competition
from medfold.recheck.submission_check import ledger_differences, plugin_steps, submission_differences
from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.tables import read_csv
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused, slow_but_first
from tests.support.rechecks import change_last_digit, first_file
from tests.support.small_project import add_variant


@pytest.mark.slow
@pytest.mark.parametrize("method", slow_but_first("stacking", "geometric", "rank", "optimised"))
def test_every_ensemble_method_is_recomputed(folded, method):
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    facts = folded.paths.facts_file
    facts.write_text(facts.read_text().replace("metric: auc", "metric: auc, more_metrics: [accuracy, log_loss]"))
    competition = Competition.open("small")
    submit(competition, run_names=["one", "two"], method=method)
    assert [(result.kind, result.not_computed) for result in recheck(competition)] == [
        ("run", ""),
        ("run", ""),
        ("submission", ""),
    ]


@pytest.mark.parametrize(
    "metric",
    slow_but_first("pf1", "macro_f1, more_metrics: [auc, accuracy]", "log_loss, more_metrics: [ece]", "fbeta, beta: 2"),
)
def test_every_post_processing_is_recomputed(folded, metric):
    add_variant(folded.project_paths.root, "other", "metric: auc", f"metric: {metric}")
    competition = Competition.open("other")
    finished_run(competition, "one", 1.0)
    submit(competition, run_names=["one"])
    assert [(result.kind, result.not_computed) for result in recheck(competition)] == [("run", ""), ("submission", "")]


@pytest.mark.slow
def test_consistently_changed_submission_differs_from_the_folds(submitted):
    """The file, its record and the ledger are changed together, so that their hashes agree."""
    file, ledger = first_file(submitted, "*.csv"), submitted.project_paths.ledger
    change_last_digit(file)
    record = json.loads(file.with_suffix(".json").read_text())
    ledger.write_text(ledger.read_text().replace(record["sha256"], sha256(file)))
    file.with_suffix(".json").write_text(json.dumps({**record, "sha256": sha256(file)}))
    with refused("1 row differs from the folds' predictions"):
        recheck(submitted)


@pytest.mark.slow
def test_equal_predictions_of_other_runs_get_a_consistent_ledger_row(folded):
    """Weights of 1 and 0 give the same predictions as a single run, but another score."""
    finished_run(folded, "one", 1.0)
    submit(folded, run_names=["one"], dry_run=True)
    finished_run(folded, "zero", 0.2)
    submit(folded, run_names=["one", "zero"], method="selection", dry_run=True)
    ledger = read_csv(folded.project_paths.ledger)
    for row in ledger.to_dict("records"):
        record = json_files.read((folded.project_paths.root / row["file"]).with_suffix(".json"))
        assert row["runs"] == " ".join(record["runs"])
        assert row["oof"] == pytest.approx(record["score"]["value"], abs=1e-6)
    recheck(folded)


@pytest.fixture
def file(folded):
    """A submission of one run."""
    finished_run(folded, "one", 1.0)
    submit(folded, run_names=["one"])
    return first_file(folded, "*.csv")


@pytest.fixture
def record(file):
    """The record of the submission."""
    return json_files.read(file.with_suffix(".json"))


@pytest.fixture
def differences(folded, file, record):
    """Returns a function: the differences of the submission whose record has these changes."""

    def run(**changes) -> list[str]:
        root = folded.project_paths.root
        return list(submission_differences(folded.facts, folded.paths, root, file, {**record, **changes}))

    return run


def test_unchanged_submission_has_no_differences(differences):
    assert differences() == []


def test_changed_file_is_not_the_one_that_was_checked(differences, file):
    change_last_digit(file)
    found = differences()
    assert found[0] == "it is not the file that was checked"
    assert found[1].startswith("1 row differs from the folds' predictions; ")
    assert len(found) == 2


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_changed_or_missing_input_is_named_and_nothing_is_computed(folded, differences, damage, file, record):
    name = next(name for name in record["inputs"] if name.endswith("test.csv"))
    if damage == "changed":
        change_last_digit(folded.project_paths.root / name)
    else:
        (folded.project_paths.root / name).unlink()
    assert differences() == [f"{name} is not the file that it was made from"]


def test_run_without_test_predictions_among_the_inputs_is_named(differences, record):
    inputs = {name: digest for name, digest in record["inputs"].items() if name.endswith("oof.csv")}
    assert differences(inputs=inputs) == ["the inputs of the submission have no test predictions of run 'one'"]


def test_damaged_file_of_the_fitted_ensemble_is_named(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK")
    with refused(r"a\.npz: damaged \(ValueError\)\. Restore it from a backup"):
        plugin_steps(tmp_path / "a.npz")


def test_folds_of_the_score_are_those_of_the_inputs(differences, record):
    score = {**record["score"], "trained_folds": [0, 1]}
    assert "trained_folds are [0, 1, 2], saved [0, 1]" in differences(score=score)


SCORE = {"metric": "auc", "value": 0.9, "low": 0.8, "high": None, "trained_folds": [0, 2]}
RECORD = {"runs": ["a", "b"], "sha256": "0f", "score": SCORE, "public": 0.7}
ROW = {"runs": "a b", "sha256": "0f", "metric": "auc", "trained_folds": "0 2", "oof": "0.900000"}
ROW |= {"oof_low": "0.800000", "oof_high": "", "public": "0.700000", "private": ""}


def test_row_of_the_ledger_agrees_with_its_record():
    assert list(ledger_differences(ROW, RECORD)) == []


@pytest.mark.parametrize(
    ("column", "cell", "recorded"),
    [
        ("runs", "a", "a b"),
        ("sha256", "1e", "0f"),
        ("metric", "log_loss", "auc"),
        ("trained_folds", "0 1 2", "0 2"),
        ("oof", "0.900001", "0.900000"),
        ("oof_low", "", "0.800000"),
        ("oof_high", "0.950000", ""),
        ("public", "0.710000", "0.700000"),
        ("private", "0.700000", ""),
    ],
)
def test_changed_cell_of_the_ledger_is_named(column, cell, recorded):
    expected = (
        f"{column} is {cell or 'empty'} in submissions/ledger.csv, {recorded or 'empty'} in the record beside the file"
    )
    assert list(ledger_differences({**ROW, column: cell}, RECORD)) == [expected]
