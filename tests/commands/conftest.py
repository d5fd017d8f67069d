"""Two finished runs of the small phantom, for the tests of several commands."""

import pytest

from tests.support.helpers import finished_run


@pytest.fixture
def two_runs(folded):
    finished_run(folded, "weak", 0.3)
    finished_run(folded, "strong", 2.0)
    return folded
