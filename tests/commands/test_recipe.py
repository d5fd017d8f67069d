"""make recipe: all keys of a recipe, and which file sets each."""

import pytest

from medfold.commands.recipe import show_recipe
from medfold.competition import Competition
from medfold.terminal.command_text import variable
from tests.support.helpers import refused


@pytest.fixture
def competition(small):
    """The small phantom with a recipe that extends its baseline."""
    (small.paths.folder / "mine.yaml").write_text("extends: baseline\ntraining: {epochs: 5, focal_gamma: 3}\n")
    return Competition.open("small")


def test_each_key_names_the_file_that_sets_it(competition):
    keys = {each.key: (each.value, each.set_in) for each in show_recipe(competition, "mine", {"tta": False})}
    assert keys["training.epochs"] == (5, "competition/small/mine.yaml")
    assert keys["training.batch_size"] == (8, "competition/small/baseline.yaml")
    assert keys["tta"] == (False, variable("SET"))
    assert keys["training.mixup"] == (0, "")


def test_keys_that_are_set_come_first(competition, capsys):
    show_recipe(competition, "mine", {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("recipe     mine of small: 8 keys are set, ")
    is_default = [line.endswith("(default)") for line in lines[2:-1]]
    assert is_default == sorted(is_default)
    assert ["training.epochs", "5", "competition/small/mine.yaml"] in [line.split() for line in lines]


def test_a_setting_without_effect_is_reported(competition, capsys):
    show_recipe(competition, "mine", {})
    assert "training.focal_gamma has no effect: training.loss is cross_entropy" in capsys.readouterr().out


def test_unknown_recipe_is_refused(competition):
    with refused(r"unknown recipe \(did you mean 'mine'\?\)"):
        show_recipe(competition, "mime", {})
