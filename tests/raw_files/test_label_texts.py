"""Labels in texts: lists of labels, and names of rows."""

from pathlib import Path

import pandas as pd
import pytest

from medfold.raw_files.label_texts import split_label_list, split_row_names
from tests.support.helpers import refused


@pytest.mark.parametrize(
    ("text", "separator", "names"),
    [
        ("a|b c", "|", ["a", "b c"]),
        (" a  b ", " ", ["a", "b"]),
        ("['a', 'b c']", ",", ["a", "b c"]),
        ('{"a"}', ",", ["a"]),
        ("a||b|", "|", ["a", "b"]),
        ("", "|", []),
        ("[]", ",", []),
    ],
)
def test_list_of_labels_is_split_without_brackets_and_quotes(text, separator, names):
    assert split_label_list(text, separator) == names


def test_row_name_is_split_at_the_longest_label():
    ids, labels = split_row_names(pd.Series(["ID_1_any_kind", "ID_2_kind"]), ["kind", "any_kind"], Path("t.csv"))
    assert (ids.tolist(), labels.tolist()) == (["ID_1", "ID_2"], ["any_kind", "kind"])


@pytest.mark.parametrize("name", ["ID_3_other", "_kind", "kind"])
def test_row_name_without_id_or_label_raises_with_its_row(name):
    with refused(f"t.csv: row 3: '{name}' is not <id>_<label>.*kind"):
        split_row_names(pd.Series(["ID_1_kind", name]), ["kind"], Path("t.csv"))
