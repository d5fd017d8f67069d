"""Columns that differ between the classes, such as the site: shortcuts that a net may learn instead of the disease."""

import numpy as np
import pandas as pd

MIN_STRENGTH = 0.1  # Cramér's V that a predictive column must exceed
SIGNIFICANCE = 0.001  # the probability that any column is reported by chance, after Bonferroni
MIN_EXPECTED = 1  # expected count per cell below which rare values are merged
COCHRAN_EXPECTED = 5  # expected count per cell that the chi-square test needs (Cochran 1954)
MAX_DISTINCT = 10  # distinct numbers; a column with more is cut into quantile bins
NUM_BINS = 4  # columns with many distinct numbers are cut at their quartiles


def predictive_columns(table: pd.DataFrame, targets: np.ndarray, groups: np.ndarray) -> list[tuple[str, int, float]]:
    """Finds columns that differ between the classes, such as the scanner or the site: a net may learn these instead.

    For each class (or label) against the rest, the strength is the bias-corrected Cramér's V: 0 for independent
    columns, 1 for a column that determines the class. Every group counts as one row, so that its many images are not
    counted as more evidence; a group with several values or classes is divided between them. Columns with many distinct
    numbers are cut at their quartiles, a missing value counts as a value, and values too rare to test are merged.

    Args:
        table: headers and kept columns, as texts (n rows); numbers may be given as texts.
        targets: int (n,) of classes, or int (n, labels) of 0 and 1.
        groups: (n,), equal for rows that belong together.

    Returns:
        Column, class number (1 of two classes; the column of `targets` for labels) and strength, the strongest first.
        Only columns stronger than `MIN_STRENGTH` whose p-value, corrected for the number of tests (Bonferroni), is
        below `SIGNIFICANCE`.
    """
    if targets.ndim == 2:
        members = {label: targets[:, label] == 1 for label in range(targets.shape[1])}
    else:
        classes = np.unique(targets)
        shown = classes[1:] if len(classes) == 2 else classes
        members = {int(number): targets == number for number in shown}
    group = pd.factorize(np.asarray(groups))[0]
    weights = 1 / np.bincount(group)[group]
    tests = []
    for name in table:
        values = value_codes(table[name], NUM_BINS)
        for number, member in members.items():
            counts = np.zeros((values.max() + 1, 2))
            np.add.at(counts, (values, member.astype(int)), weights)
            counts = _merge_rare(counts)
            if len(counts) > 1 and counts.any(axis=0).all():
                tests.append((str(name), number, *cramers_v(counts)))
    significant = [
        (name, number, v) for name, number, v, p in tests if v > MIN_STRENGTH and p * len(tests) < SIGNIFICANCE
    ]
    return sorted(significant, key=lambda item: -item[2])


def value_codes(column: pd.Series, num_bins: int) -> np.ndarray:
    """Returns value codes, int (n,): many distinct numbers are cut into quantile bins, missing is a value.

    Args:
        column: numbers or texts; numbers may be given as texts.
        num_bins: number of quantile bins.
    """
    column = column.astype(object)
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64).replace([np.inf, -np.inf], np.nan)
    if numbers.notna().equals(column.notna()) and numbers.nunique() > MAX_DISTINCT:
        cuts = np.unique(numbers.quantile(np.arange(1, num_bins) / num_bins))
        column = pd.Series(np.searchsorted(cuts, numbers)).where(numbers.notna().to_numpy())
    return pd.factorize(column, use_na_sentinel=False)[0]


def _merge_rare(counts: np.ndarray) -> np.ndarray:
    """Merges the rare values of counts (values, 2) into one row, which is dropped if it is still rare."""
    smaller_share = counts.sum(axis=0).min() / counts.sum()
    common = counts.sum(axis=1) * smaller_share >= MIN_EXPECTED
    rest = counts[~common].sum(axis=0, keepdims=True)
    return np.concatenate([counts[common], rest]) if rest.sum() * smaller_share >= MIN_EXPECTED else counts[common]


def cramers_v(counts: np.ndarray) -> tuple[float, float]:
    """Returns the bias-corrected Cramér's V of counts (Bergsma 2013, J Korean Stat Soc 42) and the p-value.

    The p-value is from the chi-square test. Where the expected counts are too small for it, it is from Fisher's exact
    test of the most significant value against all others, times the number of values.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    chi2, p, _, expected = chi2_contingency(counts, correction=False)
    if expected.min() < COCHRAN_EXPECTED:
        one_against_rest = (np.rint([row, counts.sum(axis=0) - row]).astype(int) for row in counts)
        p = min(1.0, len(counts) * min(fisher_exact(cells).pvalue for cells in one_against_rest))
    n = counts.sum()
    rows, columns = counts.shape
    phi2 = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    rows, columns = (size - (size - 1) ** 2 / (n - 1) for size in (rows, columns))
    return float(np.sqrt(phi2 / (min(rows, columns) - 1))), float(p)
