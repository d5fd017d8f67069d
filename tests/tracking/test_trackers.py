"""The registry of trackers, and the packages that pip gets for them."""

import tomllib

import pytest

from medfold.tracking import TRACKERS
from tests.support.helpers import REPOSITORY

BUILT_IN = ("tensorboard", "mlflow", "wandb")


@pytest.mark.parametrize("name", BUILT_IN)
def test_packages_are_those_of_the_extra(name):
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert list(TRACKERS[name].packages) == extras[name]
    assert TRACKERS.is_built_in(name)
