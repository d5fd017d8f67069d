"""Columns that predict the class: their strength, and independent columns that must not be found."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, fisher_exact
from scipy.stats.contingency import association

from medfold.audit import class_differences
from medfold.audit.class_differences import predictive_columns

SEEDS = range(10)


def headers(rng, count=600):
    """Columns that are independent of the classes."""
    return pd.DataFrame(
        {
            "Manufacturer": rng.choice(["A", "B", "C", None], count, p=[0.6, 0.3, 0.08, 0.02]),
            "Exposure": [f"{value:.3f}" for value in rng.lognormal(0, 1, count)],
            "Kernel": rng.choice([f"K{number}" for number in range(40)], count),
            "Modality": "CT",
            "SeriesInstanceUID": [f"1.2.840.{number}" for number in rng.permutation(count)],
        }
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("classes", [2, 4])
def test_independent_columns_are_not_predictive(seed, classes):
    rng = np.random.default_rng(seed)
    table = headers(rng)
    assert predictive_columns(table, rng.integers(0, classes, len(table)), np.arange(len(table))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_independent_columns_are_not_predictive_in_large_groups(seed):
    rng = np.random.default_rng(seed)
    table, patients = headers(rng, 60), np.repeat(np.arange(60), 50)
    targets = rng.integers(0, 2, 60)
    assert predictive_columns(table.iloc[patients], targets[patients], patients) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_site_effect_is_found_with_its_strength(seed):
    rng = np.random.default_rng(seed)
    table = headers(rng)
    targets = rng.integers(0, 2, len(table))
    table["Site"] = np.where(rng.random(len(table)) < 0.2 + 0.5 * targets, "Paris", "Rome")
    ((column, number, strength),) = predictive_columns(table, targets, np.arange(len(table)))
    assert (column, number) == ("Site", 1)
    assert strength == pytest.approx(0.5, abs=0.12)


def test_class_that_differs_is_named():
    rng = np.random.default_rng(0)
    table, targets = headers(rng), rng.integers(0, 3, 600)
    table["Site"] = np.where(targets == 2, "Paris", rng.choice(["Rome", "Oslo"], 600))
    found = predictive_columns(table, targets, np.arange(600))
    assert found[0][:2] == ("Site", 2)
    assert found[0][2] > 0.95
    assert {column for column, _, _ in found} == {"Site"}


def test_each_label_is_tested_separately():
    rng = np.random.default_rng(0)
    table, targets = headers(rng), rng.integers(0, 2, (600, 3))
    targets[:, 2] = 0  # a label without positives
    table["Site"] = np.where(targets[:, 1] == 1, "Paris", "Rome")
    ((column, number, strength),) = predictive_columns(table, targets, np.arange(600))
    assert (column, number) == ("Site", 1)
    assert strength == pytest.approx(1, abs=0.01)


def test_numbers_are_binned_by_quartile_and_gaps_count():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 600)
    table = pd.DataFrame(
        {
            "SliceThickness": [f"{value:.4f}" for value in rng.normal(targets, 0.5)],
            "Comment": np.where((targets == 1) & (rng.random(600) < 0.5), None, "none"),
            "Dose": np.where((targets == 1) & (rng.random(600) < 0.3), rng.random(600), 0),  # mostly zero
        },
        index=range(600, 0, -1),
    )
    found = predictive_columns(table, targets, np.arange(600))
    assert {column for column, _, _ in found} == {"SliceThickness", "Comment", "Dose"}


def test_strongest_column_is_listed_first():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 600)
    table = pd.DataFrame({f"by {share}": np.where(rng.random(600) < share, targets, 0) for share in (0.4, 0.9, 0.6)})
    found = predictive_columns(table.astype(str), targets, np.arange(600))
    assert [column for column, _, _ in found] == ["by 0.9", "by 0.6", "by 0.4"]


def test_images_of_one_patient_count_once():
    patients = np.concatenate([np.arange(100), np.full(500, 100)])
    targets, site = (patients == 100).astype(int), np.where(patients == 100, "Paris", "Rome")
    table = pd.DataFrame({"Site": site})
    assert predictive_columns(table, targets, patients) == []
    assert len(predictive_columns(table, targets, np.arange(len(patients)))) == 1


def test_rare_value_in_few_rows_is_not_predictive():
    targets = np.repeat([0, 1], [990, 10])
    table = pd.DataFrame({"Site": np.where(np.arange(1000) >= 998, "Paris", "Rome")})
    assert (
        chi2_contingency(pd.crosstab(table["Site"], targets), correction=False).pvalue < 1e-9
    )  # a false alarm of the chi-squared test
    assert predictive_columns(table, targets, np.arange(1000)) == []


def test_class_with_only_rare_values_is_not_predictive():
    targets = np.repeat([0, 1], [2000, 12])
    table = pd.DataFrame({"Site": [*(["Paris", "Rome"] * 1000), *map(str, range(12))]})
    assert predictive_columns(table, targets, np.arange(2012)) == []


@pytest.mark.parametrize("patients", [10, 20, 40])
def test_perfect_column_is_found_given_enough_patients(patients):
    targets = np.arange(patients) % 3 == 0
    table = pd.DataFrame({"Site": np.where(targets, "north", "south")})
    found = predictive_columns(table, targets.astype(int), np.arange(patients))
    assert [column for column, _, _ in found] == (
        ["Site"] if patients > 10 else []
    )  # with 10 patients, 1 chance in 210


def test_small_tables_use_an_exact_test():
    # 5 of the 12 positives are among the 25 rows of Paris, where one is expected.
    site = np.repeat(["Paris", "Rome"], [25, 275])
    targets = np.concatenate([np.arange(25) < 5, np.arange(275) < 7]).astype(int)
    assert chi2_contingency(pd.crosstab(site, targets), correction=False).pvalue < class_differences.SIGNIFICANCE / 10
    assert fisher_exact(pd.crosstab(site, targets)).pvalue > class_differences.SIGNIFICANCE
    assert predictive_columns(pd.DataFrame({"Site": site}), targets, np.arange(300)) == []


def test_missing_value_is_not_a_large_number():
    rng = np.random.default_rng(0)
    numbers, targets = rng.random(800), rng.integers(0, 2, 800)
    targets[numbers > 0.8], targets[numbers < 0.2] = 0, 1
    numbers[numbers < 0.2] = np.nan
    ((column, number, strength),) = predictive_columns(pd.DataFrame({"Dose": numbers}), targets, np.arange(800))
    assert (column, number) == ("Dose", 1)
    assert strength > 0.5


def test_weak_difference_in_many_rows_is_not_predictive():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 20_000)
    table = pd.DataFrame({"Site": np.where(rng.random(20_000) < 0.5 + 0.06 * targets, "Paris", "Rome")})
    assert chi2_contingency(pd.crosstab(table["Site"], targets)).pvalue < 1e-9
    assert predictive_columns(table, targets, np.arange(20_000)) == []


def test_strength_is_close_to_cramers_v_in_large_tables():
    table = np.array([[3000, 1000], [2000, 2500], [1500, 1500]])
    strength, p = class_differences.cramers_v(table)
    assert strength == pytest.approx(association(table, method="cramer"), abs=1e-3)
    assert strength < association(table, method="cramer")
    assert p == chi2_contingency(table).pvalue


@pytest.mark.parametrize(("num_others", "is_found"), [(0, True), (3, True), (9, False)])
def test_more_columns_need_a_stronger_difference(num_others, is_found):
    """A column that is found alone may be chance among ten columns: 0.00024 is below 0.001, ten times that is not."""
    targets = np.repeat([0, 1], 100)
    site = np.where(np.arange(200) % 100 < 63, targets, 1 - targets)  # 63 of 100 agree
    balanced = {f"other {number}": np.tile(["a", "b"], 100) for number in range(num_others)}
    table = pd.DataFrame({"Site": np.where(site == 1, "north", "south"), **balanced})
    p = chi2_contingency(pd.crosstab(site, targets), correction=False).pvalue
    assert 4 * p < class_differences.SIGNIFICANCE < 10 * p
    found = [column for column, _, _ in predictive_columns(table, targets, np.arange(200))]
    assert found == (["Site"] if is_found else [])
