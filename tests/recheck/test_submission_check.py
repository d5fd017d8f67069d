"""A submission, computed again from the predictions of the folds."""

import json

import pytest

from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.competition.project import Project
from medfold.errors import UserError
from medfold.system import files
from tests.conftest import add_variant
from tests.support.helpers import finished_run
from tests.support.rechecks import change_last_digit, first_file


def slow_but_first(first, *others):
    """Parameters of a test: all but the first are slow."""
    return [first, *(pytest.param(each, marks=pytest.mark.slow) for each in others)]


@pytest.mark.parametrize("method", slow_but_first("stacking", "geometric", "rank", "optimised"))
def test_every_ensemble_method_is_recomputed(folded, method):
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    facts = folded.paths.facts_file
    facts.write_text(facts.read_text().replace("metric: auc", "metric: auc, more_metrics: [accuracy, log_loss]"))
    project = Project.open("small")
    submit(project, names=["one", "two"], method=method)
    assert [(result.kind, result.not_computed) for result in recheck(project)] == [
        ("run", ""),
        ("run", ""),
        ("submission", ""),
    ]


@pytest.mark.parametrize(
    "metric",
    slow_but_first("pf1", "macro_f1, more_metrics: [auc, accuracy]", "log_loss, more_metrics: [ece]", "fbeta, beta: 2"),
)
def test_every_post_processing_is_recomputed(folded, metric):
    add_variant(folded.workspace.root, "other", "metric: auc", f"metric: {metric}")
    project = Project.open("other")
    finished_run(project, "one", 1.0)
    submit(project, names=["one"])
    assert [(result.kind, result.not_computed) for result in recheck(project)] == [("run", ""), ("submission", "")]


def test_consistently_changed_submission_differs_from_the_folds(submitted):
    """The file, its record and the ledger are changed together, so that their hashes agree."""
    file, ledger = first_file(submitted, "*.csv"), submitted.workspace.ledger
    change_last_digit(file)
    record = json.loads(file.with_suffix(".json").read_text())
    ledger.write_text(ledger.read_text().replace(record["sha256"], files.sha256(file)))
    file.with_suffix(".json").write_text(json.dumps({**record, "sha256": files.sha256(file)}))
    with pytest.raises(UserError, match="1 row differs from those of the folds"):
        recheck(submitted)


def test_equal_predictions_of_other_runs_get_a_consistent_ledger_row(folded, capsys):
    """Weights of 1 and 0 give the same predictions as a single run, but another score."""
    finished_run(folded, "one", 1.0)
    submit(folded, names=["one"], dry_run=True)
    finished_run(folded, "zero", 0.2)
    submit(folded, names=["one", "zero"], method="selection", dry_run=True)
    ledger = files.read_csv(folded.workspace.ledger)
    for row in ledger.to_dict("records"):
        record = files.read_json((folded.workspace.root / row["file"]).with_suffix(".json"))
        assert row["runs"] == " ".join(record["runs"])
        assert row["oof"] == pytest.approx(record["score"]["value"], abs=1e-6)
    recheck(folded)
