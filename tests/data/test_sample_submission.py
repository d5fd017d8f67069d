"""The sample submission, of the data or made by medfold."""

import numpy as np
import pytest

from medfold.data import Source
from medfold.data.sample_submission import blank_submission, read_sample_submission
from tests.support.helpers import competition_facts, refused


def test_sample_submission_of_the_data_is_read_as_text(small):
    Source(small.facts.source, small.paths).fetch()
    sample = read_sample_submission(small.facts, small.paths)
    assert list(sample.columns) == ["id", "target"]
    assert sample.map(lambda cell: isinstance(cell, str)).all(axis=None)


def test_missing_sample_submission_names_its_key(small):
    small.paths.raw.mkdir(parents=True)
    with refused(r"submission\.sample: .*sample_submission\.csv: no such file"):
        read_sample_submission(small.facts, small.paths)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_blank_submission_gives_equal_probabilities(task):
    facts = competition_facts(task)
    blank = blank_submission(facts, np.array(["a", "b"]))
    assert blank[facts.submission.id].tolist() == ["a", "b"]
    expected = 1 / len(facts.prediction_columns) if task == "multiclass" else 0.5
    assert (blank[facts.prediction_columns] == expected).all(axis=None)
