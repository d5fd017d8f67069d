"""Options shared by several commands: seeds, folds, place, run names, jobs and workers."""

import re

import pytest

from medfold.cli.options import (
    RecipeName,
    read_address,
    read_folds,
    read_jobs,
    read_place,
    read_run_names,
    read_seeds,
    read_workers,
    split_run_names,
)
from medfold.competition.recipe_files import SHARED_RECIPES
from medfold.terminal.command_text import variable
from tests.support.helpers import refused


def test_read_seeds_splits_numbers():
    assert read_seeds("0") == [0]
    assert read_seeds(" 2 0  1 ") == [2, 0, 1]


@pytest.mark.parametrize("text", ["", "a", "-1", "0 0", "1.5", "0,1", "4294967296"])
def test_read_seeds_refuses_other_text(text):
    with refused(re.escape(f"{variable('SEEDS', text)}: expected whole numbers from 0 to 4,294,967,295, each once")):
        read_seeds(text)


def test_folds_are_sorted_numbers_or_all():
    assert [read_folds(text) for text in ("all", "0", " 2 0  2 ", "-1")] == [None, [0], [0, 2], [-1]]


@pytest.mark.parametrize("text", ["", "first", "0,1", "1.5", "0 all"])
def test_invalid_folds_raise(text):
    with refused(re.escape(f"{variable('FOLD', text)}: expected numbers of folds, or 'all'")):
        read_folds(text)


def test_place_is_one_of_those_of_the_command():
    assert [read_place(text) for text in ("here", "ray", "kaggle")] == ["here", "ray", "kaggle"]
    with refused("ON=aws: expected 'here', 'ray' or 'kaggle'. Example: ON=kaggle"):
        read_place("aws")
    with refused("ON=kaggle: expected 'here' or 'ray'. Example: ON=ray"):
        read_place("kaggle", ("here", "ray"))


def test_address_is_one_of_a_ray_cluster():
    assert read_address("", "here") is None
    assert str(read_address("10.0.0.1:6379", "ray")) == "10.0.0.1:6379"
    with refused("ADDRESS=10.0.0.1:6379: is used only with ON=ray. Add ON=ray, or leave it out"):
        read_address("10.0.0.1:6379", "kaggle")


def test_jobs_and_workers_are_numbers_or_auto():
    assert [read_jobs(text) for text in ("1", "4", "auto")] == [1, 4, None]
    assert [read_workers(text) for text in ("0", "3", "auto")] == [0, 3, None]


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_invalid_jobs_are_refused(text):
    with refused(f"JOBS={text}: expected a number from 1, or 'auto'"):
        read_jobs(text)


@pytest.mark.parametrize("text", ["-1", "all"])
def test_invalid_workers_are_refused(text):
    with refused(f"WORKERS={text}: expected a number from 0, or 'auto'"):
        read_workers(text)


def test_run_names_default_to_recipe_seeds_and_overrides():
    assert read_run_names("", "baseline", "", "0 2") == ["baseline", "baseline-s2"]
    (name,) = read_run_names("", "baseline", "tta=false", "0")
    assert name.startswith("baseline-")
    assert read_run_names(" b a ", "baseline", "tta=false", "0 1") == ["b", "a"]


@pytest.mark.parametrize("text", ["a b a", "a a", "b+a a+a"])
def test_a_run_that_is_named_twice_is_refused(text):
    with refused("RUNS: 'a' is named twice. Name each run once"):
        split_run_names(text)


def test_one_run_may_be_a_member_of_both_sides_of_a_comparison():
    assert split_run_names("a a+b") == ["a", "a+b"]


def test_help_of_recipe_names_all_shared_recipes():
    *first, last = SHARED_RECIPES
    assert f"{', '.join(first)} or {last}." in RecipeName.__metadata__[0].help
