"""A submission that is built and checked: units without a prediction, samples of a notebook, misfits."""

import numpy as np
import pandas as pd

from medfold.submission.build import check_sample_submission, checked_submission
from tests.support.helpers import competition_facts, refused
from tests.support.submissions import IDS, sample

FALLBACK = np.array([0.25])


def test_unit_without_a_prediction_gets_the_fallback():
    predictions = pd.DataFrame({"id": ["c", "007"], "target": [0.5, 0.125]})
    table, complete_sample = checked_submission(competition_facts(), predictions, sample(), IDS, FALLBACK)
    assert table["id"].tolist() == IDS
    assert table["target"].astype(float).tolist() == [0.125, 0.25, 0.5]
    assert complete_sample["id"].tolist() == IDS


def test_short_sample_of_a_notebook_competition_gets_a_row_for_each_unit():
    facts = competition_facts(upload="notebook", source={"kind": "kaggle", "slug": "x"})
    predictions = pd.DataFrame({"id": IDS, "target": [0.1, 0.2, 0.3]})
    table, complete_sample = checked_submission(facts, predictions, sample().iloc[:1], IDS, FALLBACK)
    assert complete_sample["id"].tolist() == table["id"].tolist() == IDS


def test_sample_submission_is_checked_without_predictions():
    check_sample_submission(competition_facts(), sample(), IDS)
    with refused("1 id missing: d"):
        check_sample_submission(competition_facts(), pd.DataFrame({"id": [*IDS, "d"], "target": ["0"] * 4}), IDS)
    with refused("sample submission has the columns p, q; task binary needs target"):
        check_sample_submission(competition_facts(), sample().rename(columns={"target": "p"}).assign(q="0"), IDS)
