"""What is to be trained of a run."""

import pytest

from medfold.data import make_dataset
from medfold.errors import SettingError
from medfold.images import store_key
from medfold.training import TrainingRequest
from medfold.training.run_plan import open_plan
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused
from tests.support.run_plans import planned


@pytest.fixture
def plan_of(folded):
    def plan_of(**values):
        return planned(folded, TrainingRequest(given_name="one", **values))

    return plan_of


def test_missing_folds_are_planned_with_what_they_are_trained_from(plan_of, folded):
    finished_run(folded, "one", folds=[1])
    plan = plan_of(workers=3)
    assert (plan.fold_numbers, list(plan.requested_numbers)) == ([0, 2], [0, 1, 2])
    fold = plan.folds[1]
    assert (fold.number, fold.paths, fold.topic) == (2, plan.run_paths.fold(2), "fold 2")
    assert (fold.run_inputs.seed, fold.run_inputs.num_workers) == (0, 3)
    assert len(fold.run_inputs.store.pixels) == 103
    assert plan.plugins == folded.paths.plugins


def test_trained_run_has_nothing_to_train(plan_of, folded, capsys):
    finished_run(folded, "one")
    capsys.readouterr()
    assert plan_of().folds == []
    assert "train      all folds are trained in runs/small/one\n" in capsys.readouterr().out


def test_error_within_an_open_plan_names_the_file_of_its_key_and_the_run_is_removed(folded):
    request = TrainingRequest(given_name="one", overrides={"training": {"epochs": 7}})
    recipe = request.load_recipe(folded)
    dataset = make_dataset(folded, recipe.preparation)
    with (
        refused("SET: 'training.epochs': too many"),
        open_plan(folded, request, recipe, dataset) as plan,
    ):
        assert plan.run_paths.metadata.is_file()
        raise SettingError("too many", "training.epochs")
    assert not plan.run_paths.folder.exists()


def test_run_without_a_store_is_not_begun(plan_of, folded):
    request = TrainingRequest(given_name="one")
    (folded.paths.store(store_key(folded, request.load_recipe(folded).preparation)) / "index.csv").write_text("damaged")
    with refused("index.csv: not the table that was written. Remove the folder data/small/store/"):
        planned(folded, request)
    assert not folded.paths.run("one").folder.exists()
