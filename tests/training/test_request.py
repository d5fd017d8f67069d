"""A request to train: the name of its run, and what is refused."""

import pytest

from medfold.errors import UserError
from medfold.training.request import TrainingRequest, check_parallelism


def test_run_is_named_after_recipe_and_seed_unless_it_has_a_name():
    assert TrainingRequest("simple_cnn", seed=1).run_name == "simple_cnn-s1"
    assert TrainingRequest("simple_cnn", seed=1, run="mine").run_name == "mine"


def test_overrides_replace_values_of_the_recipe(small):
    request = TrainingRequest(overrides={"training": {"epochs": 7}})
    assert request.recipe_of(small).training.epochs == 7


@pytest.mark.parametrize(
    ("options", "message"), [({"jobs": "0"}, "JOBS=0: expected a number"), ({"workers": "x"}, "WORKERS=x: expected")]
)
def test_jobs_and_workers_are_numbers_or_auto(options, message):
    check_parallelism(TrainingRequest(jobs="auto", workers="0"))
    with pytest.raises(UserError, match=message):
        check_parallelism(TrainingRequest(**options))
