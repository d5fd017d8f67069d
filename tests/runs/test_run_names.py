"""Names of runs are plain folder names without spaces."""

import pytest

from medfold.runs.run_names import checked_run_paths
from tests.support.helpers import refused


def test_run_name_must_be_a_folder_name(small):
    for name in ("", "../x", "a/b", ".hidden"):
        with refused("plain folder name"):
            checked_run_paths(small.paths, name)


def test_commas_between_run_names_are_explained(small):
    with refused("must not contain commas. Put spaces between .*RUNS.*a b"):
        checked_run_paths(small.paths, "a,b")


@pytest.mark.parametrize("name", ["a b", "a+b", "a,b", "", "..", "a/b", ".a"])
def test_run_name_with_special_characters_is_refused(small, name):
    with refused("a run's name must"):
        checked_run_paths(small.paths, name)
