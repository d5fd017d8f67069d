"""Groups joined by images that they share."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from medfold.folds import NearDuplicates
from medfold.folds.duplicate_groups import join_duplicates, merge_groups

SAMPLES = pd.DataFrame(
    {"id": list("abcde"), "group": [10, 10, 20, 30, 40], "pixel_hash": ["h1", "h2", "h2", "h3", "h4"]},
)


def partition(groups) -> list[str]:
    """Returns the ids of each group, as text, in the order of the samples."""
    return ["".join(ids) for _, ids in SAMPLES["id"].groupby(groups, sort=False)]


def test_groups_with_equal_images_are_joined():
    assert partition(join_duplicates(SAMPLES, None)) == ["abc", "d", "e"]


def test_near_duplicates_join_groups_too():
    near = NearDuplicates([("c", "d")], pd.Series([0, 1, 2, 2, 3], index=list("abcde")))
    assert partition(join_duplicates(SAMPLES, near)) == ["abcd", "e"]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40))
def test_merge_groups_equals_a_slow_search(rows):
    groups, hashes = (np.array(column) for column in zip(*rows, strict=True))
    joined = groups.copy()
    while True:  # the smallest group reachable over shared groups or shared images
        before = joined.copy()
        for key in (groups, hashes):
            for value in np.unique(key):
                joined[key == value] = joined[key == value].min()
        if (joined == before).all():
            break
    assert (merge_groups(groups, hashes) == joined).all()
