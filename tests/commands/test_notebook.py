"""make notebook: says which notebook and bundle were written, and how they get to Kaggle by hand."""

from unittest.mock import create_autospec

import pytest

from medfold.commands import notebook as command
from medfold.commands.notebook import notebook
from medfold.kaggle import NotebookJob
from tests.support.helpers import refused


@pytest.fixture
def job(two_runs, monkeypatch):
    """The job that packing the runs returns."""
    written = two_runs.paths.run("weak").folder / "notebook" / "submit.ipynb"
    job = create_autospec(NotebookJob, instance=True, notebook=written)
    monkeypatch.setattr(command, "pack_submission", create_autospec(command.pack_submission, return_value=job))
    return job


def test_notebook_and_what_to_do_with_it_are_printed(two_runs, job, capsys):
    assert notebook(two_runs, ["weak", "strong"], method="mean") is job
    said = capsys.readouterr().out
    assert "notebook   runs/small/weak/notebook/submit.ipynb\n" in said
    assert "by hand    upload the bundle's files as a private data set; upload the notebook" in said
    assert "not for the diagnosis of patients" in said


def test_the_ensemble_of_the_named_runs_is_packed(two_runs, job):
    notebook(two_runs, ["weak", "strong"], method="mean")
    (_, _, ensemble), _ = command.pack_submission.call_args
    assert (ensemble.run_names, ensemble.score.ensemble["method"]) == (["strong", "weak"], "mean")


def test_notebook_of_an_untrained_run_is_refused(two_runs, job):
    with refused("run 'none' is not trained"):
        notebook(two_runs, ["none"])
    assert not command.pack_submission.called
