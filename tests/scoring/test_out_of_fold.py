"""The OOF score: joined by id, aggregated by unit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfold.scoring import METRICS, bootstrap_interval
from medfold.scoring.out_of_fold import oof_by_unit, oof_score
from tests.support.helpers import competition_facts, refused


@pytest.fixture
def scored():
    facts = competition_facts()
    truth = pd.DataFrame({"id": list("abcdefgh"), "group": [0, 0, 1, 2, 3, 4, 5, 6], "fold": [0] * 4 + [1] * 4})
    truth["unit"] = truth["id"]
    targets = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    oof = pd.DataFrame({"id": list("abcdefgh"), "fold": [0] * 4 + [1] * 4})
    return facts, truth, targets, oof.assign(target=[0.1, 0.9, 0.2, 0.8, 0.6, 0.4, 0.3, 0.7])


def test_oof_score_joins_predictions_by_id(scored):
    facts, truth, targets, oof = scored
    result = oof_score(
        facts, oof_by_unit(facts, oof.sample(frac=1, random_state=1), truth, targets), is_optimistic=False
    )
    assert result.value == pytest.approx(15 / 16)
    assert result.per_fold == {"0": 1.0, "1": 0.75}
    assert (result.num_units, result.trained_folds) == (8, [0, 1])
    assert result.low <= result.value <= result.high


def test_oof_score_aggregates_images_of_a_unit(scored):
    _, truth, _, oof = scored
    units = truth.assign(unit=list("xxyyzzvv"), group=[0, 0, 1, 1, 2, 2, 3, 3])
    facts = competition_facts(score={"metric": "auc", "unit": "{side}", "aggregate": "max"})
    sick = np.array([0, 1, 0, 0, 0, 0, 1, 1])
    result = oof_score(facts, oof_by_unit(facts, oof, units, sick), is_optimistic=False)
    # x 0.9 and v 0.7 are positive, y 0.8 and z 0.6 negative
    assert (result.value, result.num_units) == (0.75, 4)
    assert result.per_fold == {"0": 1.0, "1": 1.0}


def test_interval_draws_patients_not_images(scored):
    facts, _, _, _ = scored
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(30), 2)
    targets = np.repeat(rng.integers(0, 2, 30), 2)
    predictions = np.repeat(rng.normal(targets[::2], 1.0), 2)  # two images alike of each patient
    truth = pd.DataFrame({"id": [f"i{number:02d}" for number in range(60)], "group": patients, "fold": 0})
    truth["unit"] = truth["id"]
    oof = truth[["id", "fold"]].assign(target=predictions)
    result = oof_score(facts, oof_by_unit(facts, oof, truth, targets), is_optimistic=False)
    by_patient = bootstrap_interval(METRICS["auc"], targets, predictions, patients)
    by_image = bootstrap_interval(METRICS["auc"], targets, predictions, np.arange(60))
    assert (result.low, result.high) == pytest.approx(by_patient, abs=1e-9)
    assert (result.low, result.high) != pytest.approx(by_image, abs=0.02)


def test_oof_score_of_one_fold_covers_that_fold(scored):
    facts, truth, targets, oof = scored
    result = oof_score(facts, oof_by_unit(facts, oof[oof["fold"] == 1], truth, targets), is_optimistic=True)
    assert (result.value, result.trained_folds, result.is_optimistic) == (0.75, [1], True)


def test_undefined_oof_score_is_none(scored):
    facts, truth, _, oof = scored
    result = oof_score(facts, oof_by_unit(facts, oof, truth, np.zeros(8, int)), is_optimistic=False)
    assert result.value is result.low is result.per_fold["0"] is None


@pytest.mark.parametrize(
    ("change", "ids"),
    [
        (lambda oof: oof.iloc[1:], "a"),
        (lambda oof: pd.concat([oof, oof.iloc[:1]]), "a"),
        (lambda oof: oof.assign(fold=[1, *oof["fold"][1:]]), "a, a"),
        (lambda oof: oof.assign(id=["z", *oof["id"][1:]]), "a, z"),
    ],
    ids=["an id less", "an id twice", "another fold", "another id"],
)
def test_oof_table_not_matching_folds_is_refused(scored, change, ids):
    facts, truth, targets, oof = scored
    with refused(rf"^oof\.csv: the predictions do not match the folds table: {ids}\. Train again$"):
        oof_score(facts, oof_by_unit(facts, change(oof), truth, targets, fix="Train again"), is_optimistic=False)


@given(st.integers(6, 30), st.integers(1, 3), st.integers(1, 4), st.randoms(use_true_random=False))
def test_oof_score_does_not_depend_on_row_order(n, images, folds, random):
    facts = competition_facts("binary", score={"metric": "auc", "unit": "{patient}", "more_metrics": ["log_loss"]})
    unit = [f"u{number // images}" for number in range(n)]
    truth = pd.DataFrame({"id": [f"i{number}" for number in range(n)], "unit": unit, "group": unit})
    truth["fold"] = [int(name[1:]) % folds for name in unit]
    targets = np.array([random.randrange(2) for _ in range(n)])
    oof = truth[["id", "fold"]].assign(target=[random.random() for _ in range(n)])

    def scored(order: list[int], rows: list[int]) -> tuple:
        found = oof_by_unit(facts, oof.iloc[rows], truth.iloc[order], targets[order])
        return oof_score(facts, found, is_optimistic=False), found.unit_ids.tolist(), found.predictions.tolist()

    plain = list(range(n))
    assert repr(scored(plain, plain)) == repr(scored(random.sample(plain, n), random.sample(plain, n)))
