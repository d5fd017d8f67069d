"""`make submit`: one file and one row of the ledger for the same predictions, whatever stops it in between."""

import pytest

from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.submission import read_ledger
from medfold.system import files, json_files
from medfold.system.hashes import sha256
from tests.support.finished_runs import finished_run, noisy_run
from tests.support.helpers import refused, slow_but_first


class Killed(BaseException):
    """Stands for the end of the process."""


def submit_killed_in(step, competition, monkeypatch):
    def kill(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"medfold.{step}", kill)
        with pytest.raises(Killed):
            submit(competition)


@pytest.mark.parametrize(
    "step",
    slow_but_first(
        "submission.submit.record_result",
        "submission.draft.read_submission",
        "submission.submit.save_fitted_ensemble",
        "ensemble.recheck_files.oof_table",
    ),
)
def test_submit_stopped_before_the_ledger_leaves_one_file_and_one_row(folded, monkeypatch, step):
    finished_run(folded)
    submit_killed_in(step, folded, monkeypatch)
    (file,) = folded.paths.submissions.glob("*.csv")
    assert not len(read_ledger(folded.project_paths))
    submit(folded)
    assert list(folded.paths.submissions.glob("*.csv")) == [file]
    (row,) = read_ledger(folded.project_paths).to_dict("records")
    assert folded.project_paths.root / row["file"] == file
    assert row["time"] == file.name[:15]
    recheck(folded)


@pytest.mark.parametrize(
    ("trained_folds", "warning"),
    [
        ([0, 2], "fold 1 is not trained; this submits 2 of 3 folds. Train it: make train {} FOLD=1"),
        ([1], 'folds 0, 2 are not trained; this submits 1 of 3 folds. Train them: make train {} FOLD="0 2"'),
    ],
)
@pytest.mark.parametrize("recorded", [None, "make train COMPETITION=small RECIPE=baseline SEEDS=0"])
def test_submit_warns_of_folds_that_are_not_trained(folded, capsys, trained_folds, warning, recorded):
    finished_run(folded, folds=trained_folds)
    if recorded:
        metadata = folded.paths.run("baseline").metadata
        json_files.write({**json_files.read(metadata), "command": recorded}, metadata, sealed=True)
    submit(folded)
    lines = [line for line in capsys.readouterr().out.splitlines() if "not trained" in line]
    named = recorded.removeprefix("make train ") if recorded else "COMPETITION=small"
    assert lines == [f"submit     runs/small/baseline: {warning.format(named)}"]


def test_submit_of_all_folds_warns_of_none(folded, capsys):
    finished_run(folded)
    submit(folded)
    assert "not trained" not in capsys.readouterr().out


def test_submit_warns_of_a_lost_ledger(folded, capsys):
    finished_run(folded)
    json_files.write({"status": "scored"}, folded.paths.submissions / "earlier.json")
    submit(folded)
    text = "ledger     ledger.csv is missing, although earlier.csv was submitted: a new one is started. "
    assert text in capsys.readouterr().out


def test_submit_leaves_files_of_other_predictions_alone(folded, monkeypatch):
    noisy_run(folded, "baseline", noise=0.5)
    submit_killed_in("submission.submit.record_result", folded, monkeypatch)
    (first,) = folded.paths.submissions.glob("*.csv")
    digest = sha256(first)
    files.remove(folded.paths.run("baseline").folder)
    noisy_run(folded, "baseline", noise=1.0)
    submit(folded)
    assert len(list(folded.paths.submissions.glob("*.csv"))) == 2
    assert sha256(first) == digest
    (row,) = read_ledger(folded.project_paths).to_dict("records")
    assert row["file"] != first.relative_to(folded.project_paths.root).as_posix()


def test_submitting_score_at_chance_needs_force(folded):
    finished_run(folded, "noise", quality=-1.0)
    with refused(r"noise: the OOF score, AUC 0\.\d+, is no better than chance, 0.5000.*FORCE=1"):
        submit(folded, run_names=["noise"], dry_run=True)
    assert not list(folded.paths.submissions.glob("*"))
    submit(folded, run_names=["noise"], force=True)
    assert len(list(folded.paths.submissions.glob("*.csv"))) == 1
