"""Dataset shift: adversarial AUC of train and test, and columns that predict the class."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, fisher_exact
from scipy.stats.contingency import association

from medfold.folds import dataset_shift
from medfold.folds.dataset_shift import adversarial_auc, predictive_columns

SEEDS = range(10)


def part(rng, count=400, mean=0.0, sites=("a", "b", "c")):
    """A table as the audit makes it: image statistics and columns of the label table, with missing values."""
    return pd.DataFrame(
        {
            "mean": rng.normal(mean, 1, count),
            "age": np.where(rng.random(count) < 0.2, np.nan, rng.integers(20, 90, count)),
            "flag": rng.random(count) < 0.5,
            "site": rng.choice([*sites, None], count),
            "id": [f"x{number:08x}" for number in rng.integers(0, 2**32, count)],
            "unit": "mm",
        }
    )


def separate_groups(*parts):
    return np.arange(sum(map(len, parts)))


@pytest.mark.parametrize("seed", range(3))
def test_equal_parts_have_an_auc_of_one_half(seed):
    rng = np.random.default_rng(seed)
    train, test = part(rng, 1000), part(rng, 1000)
    found = adversarial_auc(train, test, separate_groups(train, test))
    assert found.auc == pytest.approx(0.5, abs=0.05)
    assert {name for name, _ in found.columns} == {"mean", "age", "flag", "site"}  # ids and constants are left out
    assert all(auc == pytest.approx(0.5, abs=0.05) for _, auc in found.columns)


@pytest.mark.parametrize(
    ("changes", "column"),
    [({"mean": 3.0}, "mean"), ({"sites": ("d", "e", "a")}, "site")],
)
def test_shifted_column_is_listed_first(changes, column):
    rng = np.random.default_rng(0)
    train, test = part(rng), part(rng, **changes)
    found = adversarial_auc(train, test, separate_groups(train, test))
    assert found.auc > (0.9 if column == "mean" else 0.75)
    assert found.columns[0][0] == column
    assert found.columns[0][1] > found.columns[1][1] + 0.2


def test_column_empty_in_one_part_is_detected():
    rng = np.random.default_rng(0)
    train, test = part(rng), part(rng).assign(age=np.nan, site=None)
    found = adversarial_auc(train, test, separate_groups(train, test))
    assert found.auc > 0.9
    assert {name for name, _ in found.columns[:2]} == {"age", "site"}


def test_different_spread_is_detected():
    rng = np.random.default_rng(0)
    train, test = (pd.DataFrame({"x": rng.normal(0, width, 1000)}) for width in (1, 8))  # both around zero
    assert adversarial_auc(train, test, separate_groups(train, test)).auc > 0.8


def test_columns_missing_in_one_part_are_left_out():
    rng = np.random.default_rng(0)
    train, test = part(rng).assign(target=np.arange(400), leak=1.5), part(rng).assign(more="x")
    found = adversarial_auc(train, test, separate_groups(train, test))
    assert found.auc < 0.6
    assert {name for name, _ in found.columns} == {"mean", "age", "flag", "site"}


def test_adversarial_auc_keeps_groups_whole():
    # A number per patient predicts the part only if images of the patient were seen in training.
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(200), 10)
    column = pd.DataFrame({"patient": rng.random(200)[patients]})
    train, test = column[patients % 2 == 0], column[patients % 2 == 1]
    groups = np.concatenate([patients[patients % 2 == 0], patients[patients % 2 == 1]])
    assert adversarial_auc(train, test, groups).auc < 0.6
    assert adversarial_auc(train, test, separate_groups(train, test)).auc > 0.8


def test_strongest_columns_are_listed_and_results_are_reproducible(monkeypatch):
    monkeypatch.setattr(dataset_shift, "MAX_ROWS", 200)
    rng, apart = np.random.default_rng(0), [0, 0.3, 0.8, 1.4, 2.2, 3.2]
    train, test = (
        pd.DataFrame({f"c{number}": rng.normal(far * is_test, 1, 400) for number, far in enumerate(apart)})
        for is_test in (0, 1)
    )
    found = [adversarial_auc(train, test, separate_groups(train, test), seed) for seed in (1, 1, 2)]
    assert [name for name, _ in found[0].columns] == ["c5", "c4", "c3", "c2", "c1"]
    assert found[0] == found[1]
    assert found[0] != found[2]  # other rows are drawn


@pytest.mark.parametrize(
    ("train", "test", "groups"),
    [
        (100, 10, "own"),  # too few rows
        (10, 100, "own"),
        (100, 100, "two"),  # fewer groups than folds
        (100, 100, "large"),  # all of the test part is one group
    ],
)
def test_too_few_rows_or_groups_give_nan(train, test, groups):
    rng = np.random.default_rng(0)
    numbers = {
        "own": np.arange(train + test),
        "two": np.repeat([0, 1], [train, test]),
        "large": np.minimum(np.arange(train + test), train),
    }
    found = adversarial_auc(part(rng, train), part(rng, test), numbers[groups])
    assert np.isnan(found.auc)
    assert found.columns == []


def test_at_most_max_rows_are_used(monkeypatch):
    rng = np.random.default_rng(0)
    train, test = part(rng, 100), part(rng, 100)
    monkeypatch.setattr(dataset_shift, "MAX_ROWS", dataset_shift.MIN_ROWS - 1)
    assert np.isnan(adversarial_auc(train, test, separate_groups(train, test)).auc)


def test_constant_or_unshared_columns_give_nan():
    constant = pd.DataFrame({"unit": ["mm"] * 50})
    assert np.isnan(adversarial_auc(constant, constant, np.arange(100)).auc)
    assert np.isnan(adversarial_auc(constant, constant.rename(columns={"unit": "other"}), np.arange(100)).auc)


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
    assert chi2_contingency(pd.crosstab(site, targets), correction=False).pvalue < dataset_shift.SIGNIFICANCE / 10
    assert fisher_exact(pd.crosstab(site, targets)).pvalue > dataset_shift.SIGNIFICANCE
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
    strength, p = dataset_shift._strength(table)
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
    assert 4 * p < dataset_shift.SIGNIFICANCE < 10 * p
    found = [column for column, _, _ in predictive_columns(table, targets, np.arange(200))]
    assert found == (["Site"] if is_found else [])
