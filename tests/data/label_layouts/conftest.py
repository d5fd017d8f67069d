"""Raw data of eight images."""

import pytest

from tests.support.helpers import competition_facts, picture
from tests.support.label_tables import NUMBERS


@pytest.fixture
def raw(tmp_path):
    for number in NUMBERS:
        picture(tmp_path / "images" / f"{number}.png", seed=number)
    return tmp_path


@pytest.fixture
def wide(tmp_path):
    """Raw data and facts: three labelled images of two patients, and two test images."""
    raw = tmp_path / "raw"
    for name in ("train/a", "train/b", "train/c", "test/d", "test/e"):
        picture(raw / f"{name}.png")
    (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,1.0\nc,p2,M,1\n")
    (raw / "sample.csv").write_text("id,target\ne,0.5\nd,0.5\n")
    labels = {"file": "train.csv", "targets": ["target"], "group": "patient", "keep_columns": ["sex"]}
    return raw, competition_facts(labels=labels, submission={"sample": "sample.csv"})
