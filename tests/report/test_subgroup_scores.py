"""Scores by subgroup."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from medfold.report.subgroup_scores import MAX_VALUES, MIN_UNITS, score_subgroups
from medfold.scoring import METRICS

AUC = METRICS["auc"]
COUNT = 200


@pytest.fixture
def scored():
    """Targets, informative predictions, and groups of two."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, COUNT)
    return targets, (targets + rng.standard_normal(COUNT))[:, None], np.arange(COUNT) // 2


def score_parts(scored, metric=AUC, **columns):
    return score_subgroups(metric, *scored, pd.DataFrame(columns))


def assert_part_matches(scored, part, rows: np.ndarray):
    """Fails if a part does not have the score of its rows."""
    targets, predictions, _ = scored
    assert part.num_units == rows.sum()
    assert part.positive_share == pytest.approx(targets[rows].mean())
    assert part.score == pytest.approx(AUC(targets[rows], predictions[rows]), abs=1e-12)
    assert part.low < part.score < part.high


def test_parts_are_sorted_by_value(scored):
    site = np.array(["Rome", "Oslo", "Bonn"])[np.arange(COUNT) % 3]
    found = score_parts(scored, site=site)
    assert [(part.column, part.value) for part in found] == [("site", "Bonn"), ("site", "Oslo"), ("site", "Rome")]
    for part in found:
        assert_part_matches(scored, part, site == part.value)
    assert len({part.score for part in found}) == 3


def test_few_numbers_are_sorted_numerically(scored):
    found = score_parts(scored, machine=np.array(["10", "9", "100"])[np.arange(COUNT) % 3])
    assert [part.value for part in found] == ["9", "10", "100"]


def test_many_numbers_are_split_into_quartiles(scored):
    age = np.random.default_rng(1).permutation(COUNT) % 80 + 10
    found = score_parts(scored, age=age.astype(str))
    edges = np.quantile(age, [0, 0.25, 0.5, 0.75, 1])
    assert [part.value for part in found] == [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    assert sum(part.num_units for part in found) == COUNT
    for part, low, high in zip(found, edges[:-1], edges[1:], strict=True):
        assert_part_matches(scored, part, ((age > low) | (age == age.min()) & (low == age.min())) & (age <= high))


@pytest.mark.parametrize("values", [np.linspace(100.01, 100.04, COUNT), np.linspace(20190101, 20190102, COUNT)])
def test_narrow_bands_have_distinct_names(scored, values):
    found = score_parts(scored, spacing=values)
    assert len({part.value for part in found}) == 4
    assert [part.num_units for part in found] == [50] * 4


@pytest.mark.parametrize("missing", ["", None, float("nan")])
def test_missing_values_are_unknown_and_last(scored, missing):
    sex = np.array(["M", "F", missing, "F"], dtype=object)[np.arange(COUNT) % 4]
    age = np.array([*np.arange(COUNT)], dtype=object)
    age[::5] = missing
    found = score_parts(scored, sex=sex, age=age)
    by = {name: [part for part in found if part.column == name] for name in ("sex", "age")}
    assert [(part.value, part.num_units) for part in by["sex"]] == [("F", 100), ("M", 50), ("unknown", 50)]
    assert_part_matches(scored, by["sex"][-1], np.arange(COUNT) % 4 == 2)
    assert len(by["age"]) == 5
    assert (by["age"][-1].value, by["age"][-1].num_units) == ("unknown", 40)


def test_value_unknown_is_merged_with_missing_values(scored):
    sex = np.array(["M", "unknown", "", "F"])[np.arange(COUNT) % 4]
    assert [(part.value, part.num_units) for part in score_parts(scored, sex=sex)] == [
        ("F", 50),
        ("M", 50),
        ("unknown", 100),
    ]


def test_uninformative_columns_are_left_out(scored):
    uninformative = {
        "constant": ["x"] * COUNT,
        "empty": [""] * COUNT,
        "constant or missing": ["x", ""] * (COUNT // 2),
        "text": [f"note {number}" for number in range(COUNT)],
        "nearly numbers": [*map(str, range(COUNT - 1)), "none"],
        "nearly constant": [0] * (COUNT - 9) + list(range(1, 10)),
    }
    assert score_parts(scored, **uninformative) == []
    assert len(score_parts(scored, **uninformative, sex=["M", "F"] * (COUNT // 2))) == 2


def test_small_parts_are_counted_but_not_scored(scored):
    site = np.array(["big"] * (COUNT - 2 * MIN_UNITS + 1) + ["enough"] * MIN_UNITS + ["few"] * (MIN_UNITS - 1))
    big, enough, few = score_parts(scored, site=site)
    assert not np.isnan([big.score, enough.score, enough.low]).any()
    assert few.num_units == MIN_UNITS - 1
    assert np.isnan([few.score, few.low, few.high]).all()
    assert 0 <= few.positive_share <= 1


def test_part_of_one_class_has_no_score(scored):
    found = score_parts(scored, diagnosis=np.where(scored[0] == 1, "ill", "well"))
    assert [(part.value, part.positive_share) for part in found] == [("ill", 1), ("well", 0)]
    assert np.isnan([(part.score, part.low, part.high) for part in found]).all()


def test_interval_resamples_whole_groups(scored):
    targets, predictions, _ = scored
    sex = np.array(["M", "F"] * (COUNT // 2))
    single = score_parts((targets, predictions, np.arange(COUNT)), sex=sex)[0]
    large = score_parts((targets, predictions, np.arange(COUNT) // 40), sex=sex)[0]
    assert single.score == large.score
    assert (single.low, single.high) != (large.low, large.high)


def test_multilabel_and_multiclass_parts_are_scored():
    rng = np.random.default_rng(2)
    sex = np.array(["F", "M"])[np.arange(COUNT) % 2]
    labels, predictions = rng.integers(0, 2, (COUNT, 3)), rng.random((COUNT, 3))
    groups = np.arange(COUNT)
    part = score_parts((labels, predictions, groups), METRICS["mean_auc"], sex=sex)[0]
    assert part.positive_share == pytest.approx((labels[::2].sum(axis=1) > 0).mean())
    assert part.score == pytest.approx(METRICS["mean_auc"](labels[::2], predictions[::2]))
    classes, predictions = rng.integers(0, 3, COUNT), rng.dirichlet([1] * 3, COUNT)
    part = score_parts((classes, predictions, groups), METRICS["accuracy"], sex=sex)[1]
    assert np.isnan(part.positive_share)
    assert part.score == pytest.approx((predictions[1::2].argmax(axis=1) == classes[1::2]).mean())


@pytest.mark.parametrize(("num_values", "is_found"), [(MAX_VALUES, True), (MAX_VALUES + 1, False)])
def test_column_of_few_names_is_shown_value_by_value(scored, num_values, is_found):
    names = [f"site {number}" for number in range(num_values)]
    found = score_parts(scored, site=np.array(names)[np.arange(COUNT) % num_values])
    assert [part.value for part in found] == (names if is_found else [])
