"""A competition with a holdout, and copies of images."""

import pytest

from tests.support.holdouts import add_holdout_project


@pytest.fixture
def holdout_project(project_folder, tmp_path):
    """40 images, each under two names, and one that cannot be read."""
    return add_holdout_project(project_folder, tmp_path / "given")
