"""Targets: the labels of samples as numbers."""

import pandas as pd

from medfold.data.targets import encode_targets
from tests.support.helpers import competition_facts


def test_encode_targets_numbers_classes_and_labels():
    table = pd.DataFrame({"target": ["2", "0"], "a": ["1", "0"], "b": ["0", "0"]})
    assert encode_targets(competition_facts("ordinal"), table).tolist() == [2, 0]
    assert encode_targets(competition_facts("multilabel"), table).tolist() == [[1, 0], [0, 0]]
