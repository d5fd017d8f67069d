"""A user with planted files, for whom make targets run on hostile files."""

from pathlib import Path

import pytest

from tests.layouts.clinic import FACTS, make_given
from tests.support.make_targets import clone_repository
from tests.support.small_project import TINY_RECIPE, add_competition
from tests.support.victim import Victim


@pytest.fixture(scope="session")
def _clinic_once(once):
    def make(root: Path) -> None:
        clone_repository(root)
        add_competition(root, "clinic", FACTS, TINY_RECIPE)
        make_given(root / "given")

    return once("clone with a clinic", make)


@pytest.fixture
def victim(_clinic_once, tmp_path) -> Victim:
    """A clone whose raw data in `given/` is not yet read."""
    return Victim(tmp_path, _clinic_once)


@pytest.fixture(scope="session")
def _honest_memory(_clinic_once, tmp_path_factory) -> int:
    """The memory of preparing honest images."""
    honest = Victim(tmp_path_factory.mktemp("honest"), _clinic_once)
    assert honest.make("download", f"FROM={honest.given}").code == 0
    ended = honest.make("prepare")
    assert ended.code == 0
    return ended.memory


@pytest.fixture
def limited_victim(victim, _honest_memory) -> Victim:
    """A victim whose commands may take at most MAX_MEMORY more than those of honest images."""
    victim.max_memory = _honest_memory
    return victim
