"""Slugs: the names of competitions and data sets on Kaggle."""

import pytest

from medfold.competition.slugs import parse_slug


@pytest.mark.parametrize(
    ("text", "folder", "slug"),
    [
        ("histology", "competitions", "histology"),
        ("https://www.kaggle.com/competitions/histology", "competitions", "histology"),
        ("https://www.kaggle.com/competitions/histology/data?select=train.csv", "competitions", "histology"),
        ("kaggle.com/c/histology/", "competitions", "histology"),
        ("alice/x-rays", "datasets", "alice/x-rays"),
        ("https://www.kaggle.com/datasets/alice/x-rays/data", "datasets", "alice/x-rays"),
    ],
)
def test_parse_slug_accepts_slugs_and_addresses(text, folder, slug):
    assert parse_slug(text, folder) == slug


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("x-rays", "datasets"),
        ("a/b/c", "competitions"),
        ("", "competitions"),
        ("https://www.kaggle.com/datasets/alice/x-rays", "competitions"),
        ("https://www.kaggle.com/competitions/histology/data", "datasets"),
    ],
)
def test_parse_slug_refuses_other_text(text, folder):
    with pytest.raises(ValueError, match="expected a slug"):
        parse_slug(text, folder)
