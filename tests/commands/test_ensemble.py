"""make ensemble: the ensemble that make submit would use, and the command for it."""

import pytest

from medfold.commands.ensemble import ensemble
from tests.support.helpers import refused


def test_score_and_next_command_are_printed(two_runs, capsys):
    summary = ensemble(two_runs, ["weak", "strong"], method="rank")
    said = capsys.readouterr().out
    assert f"OOF score  AUC {summary.score.value:.4f} (95 % interval " in said
    assert 'then       make submit COMPETITION=small RUNS="weak strong" METHOD=rank\n' in said


@pytest.mark.parametrize("folder", ["submissions", "runs/small/weak/submission"])
def test_nothing_is_written(two_runs, folder):
    ensemble(two_runs, ["weak", "strong"])
    assert not (two_runs.project_paths.root / folder).exists()


def test_ensemble_with_an_untrained_run_is_refused(two_runs):
    with refused("run 'none' is not trained.*Trained so far: strong, weak"):
        ensemble(two_runs, ["none"])
