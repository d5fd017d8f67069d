"""Attributes of samples: kept columns and DICOM headers, joined by id."""

from types import SimpleNamespace

import pandas as pd
import pytest

from medfold.data.attributes import sample_attributes
from tests.support.helpers import competition_facts

SAMPLES = pd.DataFrame({"id": ["a", "b"], "sex": ["F", "M"], "Rows": [1, 2], "target": [0, 1]}, index=[7, 3])


@pytest.fixture
def competition(tmp_path):
    """A competition that keeps the columns `sex` and `Rows`; its headers are in another order, and of more images."""
    pd.DataFrame(
        {"id": ["c", "b", "a"], "Rows": ["30", "020", "10"], "Columns": "8", "Modality": ["", "CT", "NA"]}
    ).to_csv(tmp_path / "headers.csv", index=False)
    facts = competition_facts(labels={"targets": ["target"], "keep_columns": ["sex", "Rows"]})
    return SimpleNamespace(facts=facts, paths=SimpleNamespace(headers=tmp_path / "headers.csv"))


def test_headers_are_joined_by_id(competition):
    found = sample_attributes(competition, SAMPLES)
    assert found.columns.tolist() == ["sex", "Rows", "Rows (header)", "Columns", "Modality"]
    assert found.to_numpy().tolist() == [["F", 1, "10", "8", "NA"], ["M", 2, "020", "8", "CT"]]
    assert found.index.tolist() == [0, 1]


def test_ignored_headers_are_left_out_but_not_kept_columns(competition):
    found = sample_attributes(competition, SAMPLES, {"Rows", "Columns", "KVP"})
    assert found.columns.tolist() == ["sex", "Rows", "Modality"]


def test_without_headers_there_are_the_kept_columns(competition):
    competition.paths.headers.unlink()
    found = sample_attributes(competition, SAMPLES)
    assert found.to_numpy().tolist() == [["F", 1], ["M", 2]]
