"""The command that trains a run: the recorded one, else that of its name."""

import pytest

from medfold.runs import Run, require_trained_folds
from medfold.runs.train_command import train_command
from medfold.system import json_files
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("run", "fix"),
    [
        ("baseline", "Run: make train COMPETITION=small"),
        ("simple_cnn", "Run: make train COMPETITION=small RECIPE=simple_cnn"),
        ("baseline-s2", "Run: make train COMPETITION=small SEEDS=2"),
        ("simple_cnn-s1", "Run: make train COMPETITION=small RECIPE=simple_cnn SEEDS=1"),
        ("mine", "No run is trained yet. To train one of that name: make train COMPETITION=small RUN=mine"),
        ("mine-s1", "No run is trained yet. To train one of that name: make train COMPETITION=small RUN=mine-s1"),
    ],
)
def test_untrained_run_is_trained_by_the_command_of_its_name(small, run, fix):
    with refused(f"run '{run}' is not trained. {fix}$"):
        Run.open(small, run)


@pytest.mark.parametrize(
    ("recorded", "variable"),
    [("make train COMPETITION=small RECIPE=simple_cnn", "RECIPE=simple_cnn"), (None, "RUN=mine")],
)
def test_run_without_a_finished_fold_is_trained_by_its_own_command(folded, recorded, variable):
    finished_run(folded, "mine", folds=[0])
    paths = folded.paths.run("mine")
    paths.fold(0).trained_marker.unlink()
    json_files.write({**json_files.read(paths.metadata), "command": recorded}, paths.metadata, sealed=True)
    with refused(f"run 'mine' has no trained fold. Run: make train COMPETITION=small {variable}$"):
        require_trained_folds(Run.open(folded, "mine"))


def test_variables_are_added_to_the_command_or_replaced(small):
    paths = small.paths.run("mine")
    recorded = "make train COMPETITION=small RUN=mine FOLD=0"
    assert train_command(paths, recorded, FOLD="1 2") == 'make train COMPETITION=small RUN=mine FOLD="1 2"'
    assert train_command(paths, FOLD=1) == "make train COMPETITION=small RUN=mine FOLD=1"


def test_command_is_that_of_the_program_that_the_user_typed(small, typed_medfold):
    typed = train_command(small.paths.run("baseline-s2"), FOLD=1)
    assert typed == "medfold train --competition small --seeds 2 --fold 1"
