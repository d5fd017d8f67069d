"""Sample tables for tests by hypothesis."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from medfold.competition import FoldFacts


@st.composite
def sample_tables(draw):
    """Ids, targets, groups and options of any small table with at least K groups."""
    k = draw(st.integers(2, 5))
    groups = np.array(draw(st.lists(st.integers(0, 30), min_size=k, max_size=80)))
    groups[:k] = np.arange(k) + 100  # at least K groups
    n = len(groups)
    if draw(st.booleans()):
        targets = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    else:
        targets = np.array(draw(st.lists(st.lists(st.integers(0, 1), min_size=3, max_size=3), min_size=n, max_size=n)))
    ids = pd.Series([f"{number:04d}" for number in draw(st.permutations(range(n)))])
    method = draw(st.sampled_from(["stratified", "group", "stratified_group"]))
    return ids, targets, groups, FoldFacts(k=k, seed=draw(st.integers(0, 3)), method=method)
