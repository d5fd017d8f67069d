"""A run by its run.json: opened by name, even if no fold is trained."""

import pytest

from medfold import config
from medfold.runs.run import Run
from medfold.system import json_files
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused


@pytest.fixture
def run(folded):
    finished_run(folded, "one", folds=[0])
    return Run.open(folded, "one")


def test_run_has_the_settings_of_its_run_json(folded, run):
    assert (run.name, run.num_folds, run.is_optimistic) == ("one", 3, False)
    assert run.paths == folded.paths.run("one")
    assert run.recipe.model_dump(mode="json") == run.metadata.recipe


def test_run_without_a_trained_fold_is_opened(folded, run):
    run.paths.fold(0).trained_marker.unlink()
    assert Run.open(folded, "one") == run


def test_recipe_of_an_earlier_version_without_keep_is_not_optimistic(run):
    recipe = config.merge(run.metadata.recipe, {})
    del recipe["training"]["keep"]
    assert not Run(run.paths, run.metadata.model_copy(update={"recipe": recipe})).is_optimistic


def test_damaged_run_json_is_refused(folded, run):
    json_files.write({**json_files.read(run.paths.metadata), "facts": {}}, run.paths.metadata)
    with refused("the value of 'facts.folds' is missing"):
        Run.open(folded, "one")


def test_advice_names_folder_and_command_of_the_run(run):
    assert run.retrain_advice() == (
        "Remove the folders of these folds in runs/small/one, and run: make train COMPETITION=small RUN=one"
    )
