"""The sample table, built from the raw labels.

The table `data/<name>/samples.csv` has one row per image: `id`, `part` (train or test), `image` (path below raw/),
`group` (a running number), `unit` (what score and submission have one row for), the target columns (train only) and
the columns of labels.keep_columns. `label_layouts` reads the labels, `image_search` finds the images, `sample_files`
writes and reads the table.
"""

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data import label_layouts
from medfold.data.sample_checks import check_group_pattern, check_train_and_test, check_units
from medfold.data.sample_files import write_samples
from medfold.paths import CompetitionPaths
from medfold.tables import write_csv
from medfold.terminal.console import warn
from medfold.text import count_of


def build_samples(facts: CompetitionFacts, paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the raw labels, checks them against the images, and writes the sample table and `groups.csv`.

    Writes a sample submission if the raw data has none. Labels of the test set, if the raw data has them, become the
    solution. With `labels.holdout` all samples are in the training set until `set_aside_holdout`.

    Raises:
        UserError: a missing file or column, a repeated id, an unknown label value, a label without its image, a unit
            in two groups, or counts other than the counts in competition.yaml.
    """
    labels = facts.labels
    layout = label_layouts.LAYOUTS.find(labels.layout, "labels.layout")
    root = facts.images.root
    if not (paths.raw / root).is_dir():  # an archive may come with or without its outer folder
        warn("samples", f"images.root: no folder '{root}'; patterns start at raw/")
    train, test, solution = layout(facts, paths.raw_root(root))
    if labels.holdout:
        test = train.head(0)
        solution = None
    check_train_and_test(facts, paths, train, test)
    check_group_pattern(facts, train, test)
    table = pd.concat([train.assign(part="train"), test.assign(part="test")], ignore_index=True)
    numbers, patients = pd.factorize(table["patient"].fillna("unit " + table["unit"]))
    table["group"] = numbers
    check_units(table, paths)
    keep = [column for column in labels.keep_columns if column in table]
    table = table[["id", "part", "image", "group", "unit", *labels.targets, *keep]]

    write_csv(pd.DataFrame({"group": range(len(patients)), "patient": patients}), paths.groups, private=True)
    write_samples(facts, paths, table, solution, needs_holdout=bool(labels.holdout))
    return table


def describe_image_counts(table: pd.DataFrame, holdout: float | None) -> str:
    """Returns how many images each part has, as text.

    Args:
        table: the sample table, as `build_samples` returns it.
        holdout: `labels.holdout`, the share of the images that will be the test set; None or 0 without it.
    """
    if holdout:
        return f"{count_of(len(table), 'image')}; {holdout:.0%} of them become the test set when the folds are made"
    is_test = table["part"] == "test"
    return f"{(~is_test).sum():,} training and {count_of(is_test.sum(), 'test image')}"
