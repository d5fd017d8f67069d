"""The sample table of the small phantom, downloaded."""

import pytest

from medfold.data.samples import build_samples
from medfold.data.sources.source import Source


@pytest.fixture
def table(small):
    Source(small.facts.source, small.paths).fetch()
    return build_samples(small.facts, small.paths)
