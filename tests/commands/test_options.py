"""Options shared by several commands: seeds and run names."""

import re

import pytest

from medfold.commands.options import read_run_names, read_seeds
from medfold.errors import UserError
from medfold.terminal.command_text import variable


def test_read_seeds_splits_numbers():
    assert read_seeds("0") == [0]
    assert read_seeds(" 2 0  1 ") == [2, 0, 1]


@pytest.mark.parametrize("text", ["", "a", "-1", "0 0", "1.5", "0,1", "4294967296"])
def test_read_seeds_refuses_other_text(text):
    with pytest.raises(UserError, match=re.escape(f"{variable('SEEDS', text)}: expected different numbers")):
        read_seeds(text)


def test_run_names_default_to_recipe_seeds_and_overrides():
    assert read_run_names("", "baseline", "", "0 2") == ["baseline", "baseline-s2"]
    (name,) = read_run_names("", "baseline", "tta=false", "0")
    assert name.startswith("baseline-")
    assert read_run_names(" b a ", "baseline", "tta=false", "0 1") == ["b", "a"]
