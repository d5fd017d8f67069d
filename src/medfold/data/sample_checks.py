"""Checks of the samples that were read from the labels: ids, counts, training and test set, units."""

from collections.abc import Sequence

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.errors import CHECK_COMPLETE, SettingError, UserError
from medfold.paths import CompetitionPaths
from medfold.terminal.console import warn
from medfold.text import count_of, shorten_list


def check_train_and_test(
    facts: CompetitionFacts, paths: CompetitionPaths, train: pd.DataFrame, test: pd.DataFrame
) -> None:
    """Checks ids and counts of the training and the test set.

    Args:
        facts: facts of the competition (`labels`).
        paths: paths of the competition, for error messages.
        train: samples of the training set: id.
        test: samples of the test set: id.

    Raises:
        UserError: no training sample, a repeated id, an id in both sets, or counts other than the ones in
            competition.yaml.
    """
    labels = facts.labels
    if not len(train):
        where = paths.raw_root(facts.images.root) / labels.file if labels.file else paths.raw
        fix = "Check the labels there, and whether labels.map leaves out all of them"
        raise UserError("no training sample", where, fix)
    for part, table, name in (("train", train, "training set"), ("test", test, "test set")):
        check_ids(table, name, labels.targets)
        expected = (labels.expected_counts or {}).get(part, len(table))
        if len(table) != expected:
            raise UserError(
                f"expected {expected:,} {part} samples, found {len(table):,}",
                paths.raw,
                f"{CHECK_COMPLETE}, or correct labels.expected_counts in competition.yaml",
            )
    both = set(train["id"]) & set(test["id"])
    if both:
        fix = "Give the images of one set other ids, such as their paths (train/x.png), in the table or in labels.id"
        raise UserError(
            f"{count_of(len(both), 'id is', 'ids are')} in train and in test: {shorten_list(sorted(both))}",
            paths.raw,
            fix,
        )


def check_ids(table: pd.DataFrame, name: str, targets: Sequence[str] = ()) -> None:
    """Checks that each id appears once in a table, which the message calls `name`.

    Args:
        table: samples: id, and the label columns where they are known.
        name: what the message calls the table, such as "training set".
        targets: names of the label columns. Defaults to none.

    Raises:
        SettingError: repeated ids.
    """
    repeated = table["id"].duplicated()
    if repeated.any():
        labels, fix = _compare_repeated_labels(table, targets)
        what = (
            f"{count_of(repeated.sum(), 'id appears', 'ids appear')} more than once in the {name}: "
            f"{shorten_list(table['id'][repeated])}{labels}"
        )
        raise SettingError(what, "labels.repeated", fix)


def _compare_repeated_labels(table: pd.DataFrame, targets: Sequence[str]) -> tuple[str, str]:
    """Returns whether the labels of repeated ids differ, and the fix; the first is '' if there are no labels."""
    repeated = table[table["id"].duplicated(keep=False)]
    known = [target for target in targets if target in table]
    for target in known:
        num_values = repeated.groupby("id", sort=False)[target].nunique()
        if (num_values > 1).any():
            name = num_values.index[num_values > 1][0]
            values = repeated.loc[repeated["id"] == name, target].unique()
            differing = f" ('{target}' of {name} is {' and '.join(values[:2])})"
            return differing, "Correct the labels, or set it to max or majority"
    if known:
        return " (their labels are equal)", "Set it to same"
    return "", "Set it to same (the rows agree), max or majority"


def check_group_pattern(facts: CompetitionFacts, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Checks that `labels.group_pattern` finds patients; warns if it finds none in the test set.

    Args:
        facts: facts of the competition (`labels.group_pattern`).
        train: samples of the training set: id, and patient, None if unknown.
        test: samples of the test set: id and patient.

    Raises:
        SettingError: the pattern matches no training id.
    """
    if facts.labels.group_pattern is None:
        return
    if train["patient"].isna().all():
        what = f"matches none of the {count_of(len(train), 'training id')}: {shorten_list(train['id'])}"
        fix = "Correct it: it must match from the first character of an id; or remove it"
        raise SettingError(what, "labels.group_pattern", fix)
    if len(test) and test["patient"].isna().all():
        count = count_of(len(test), "test id")
        warn("samples", f"labels.group_pattern matches none of the {count}: each is a separate group")


def check_units(table: pd.DataFrame, paths: CompetitionPaths) -> None:
    """Checks that all images of a unit are in one group, and all in the training or all in the test set.

    Raises:
        UserError: a unit in two groups, or in train and in test.
    """
    first_group = table.drop_duplicates("unit").set_index("unit")["group"]
    split = table["unit"][first_group.loc[table["unit"]].to_numpy() != table["group"].to_numpy()].unique()
    if len(split):
        what = f"{count_of(len(split), 'unit is', 'units are')} in two groups: {shorten_list(split)}"
        raise UserError(what, paths.facts_file, "Change score.unit or labels.group: a group holds whole units")
    num_sets = table.groupby("unit")["part"].nunique()
    both = num_sets.index[num_sets > 1]
    if len(both):
        raise UserError(
            f"{count_of(len(both), 'unit is', 'units are')} in train and in test: {shorten_list(both)}",
            paths.facts_file,
            "Change score.unit so that the images of a unit are all in the training set or all in the test set",
        )
