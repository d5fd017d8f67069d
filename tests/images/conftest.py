"""The sample table of the small phantom, downloaded."""

import pytest

from medfold.data import Source, build_samples


@pytest.fixture
def table(small):
    Source(small.facts.source, small.paths).fetch()
    return build_samples(small.facts, small.paths)
