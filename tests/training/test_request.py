"""A request to train: the name of its run, and its recipe."""

from medfold.training.request import TrainingRequest


def test_run_is_named_after_recipe_and_seed_unless_it_has_a_name():
    assert TrainingRequest("simple_cnn", seed=1).run_name == "simple_cnn-s1"
    assert TrainingRequest("simple_cnn", seed=1, given_name="mine").run_name == "mine"


def test_overrides_replace_values_of_the_recipe(small):
    request = TrainingRequest(overrides={"training": {"epochs": 7}})
    assert request.load_recipe(small).training.epochs == 7
