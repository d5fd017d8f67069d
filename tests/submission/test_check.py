"""The check of a submission before its upload."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.submission.check import check_submission
from medfold.submission.table import build_submission
from tests.support.helpers import competition_facts, refused
from tests.support.submissions import IDS, LONG, long_sample, sample

LONG_FACTS = competition_facts("multilabel", **LONG)
OF_ONE_IMAGE = pd.DataFrame({"id": ["ID_2"], "a": [0.1], "b": [0.3]})


def test_missing_long_rows_raise_with_ids():
    built = build_submission(LONG_FACTS, OF_ONE_IMAGE, long_sample(range(4)))
    with refused("2 ids missing: ID_1_a, ID_1_b"):
        check_submission(LONG_FACTS, built, long_sample(range(4)))


def test_long_sample_id_without_label_is_refused():
    with refused("row 2: 'ID_1' is not <id>_<label>"):
        build_submission(LONG_FACTS, OF_ONE_IMAGE, long_sample([0]).replace("ID_1_a", "ID_1"))


GOOD = pd.DataFrame({"id": IDS, "target": [0.1, 0.5, 1.0]})

FAULTS = {
    "no rows, where the sample submission has 3 rows": GOOD.iloc[:0],
    "its columns are id, p; those of the sample submission id, target": GOOD.rename(columns={"target": "p"}),
    "its columns are target, id; those of the sample submission id, target": GOOD[["target", "id"]],
    "1 id missing: c; the sample submission has 3 ids, each once. Check images.test": GOOD.iloc[:2],
    "1 id not in the sample submission: d": pd.concat([GOOD, pd.DataFrame({"id": ["d"], "target": [0.5]})]),
    "1 id duplicated: c": pd.concat([GOOD, GOOD.iloc[2:]]),
    "a different order": GOOD.iloc[::-1],
    "row 3, column 'target': nan is not a probability": GOOD.assign(target=[0.1, np.nan, 0.3]),
    "row 2, column 'target': inf": GOOD.assign(target=[np.inf, 0.1, 0.3]),
    "row 4, column 'target': 1.01": GOOD.assign(target=[0.1, 0.2, 1.01]),
    "row 2, column 'target': -0.1": GOOD.assign(target=[-0.1, 0.2, 0.1]),
    "row 3, column 'target': high": GOOD.assign(target=["0.1", "high", "0.2"]),
}


@pytest.mark.parametrize("message", FAULTS)
def test_faulty_submission_is_refused(message):
    with refused(message):
        check_submission(competition_facts(), FAULTS[message], sample())


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=3, max_size=3))
def test_check_accepts_exactly_values_from_0_to_1(values):
    table = GOOD.assign(target=values)
    if all(0 <= value <= 1 for value in values):
        check_submission(competition_facts(), table, sample())
    else:
        with refused("is not a probability from 0 to 1"):
            check_submission(competition_facts(), table, sample())
