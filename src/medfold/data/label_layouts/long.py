"""Layout `long`: a row per image and label."""

from pathlib import Path

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data.label_layouts.layout import TrainTestSolution, label_layout
from medfold.data.label_layouts.table_layouts import read_label_table
from medfold.errors import UserError
from medfold.raw_files import check_classes, drop_rows, map_labels, merge_repeated_rows, split_row_names
from medfold.text import count_of, shorten_list


@label_layout
def long(facts: CompetitionFacts, raw: Path) -> TrainTestSolution:
    """One row per image and label, named `<id>_<target>`, in a table; the label in the column labels.value."""
    return read_label_table(facts, raw, {facts.labels.value: "labels.value"}, _long)


def _long(rows: pd.DataFrame, facts: CompetitionFacts, path: Path) -> pd.DataFrame:
    """Turns rows of one label each into rows of one image, with a column per target."""
    labels = facts.labels
    ids, target = split_row_names(rows[labels.id], labels.targets, path)
    value = map_labels(rows[[labels.value]], facts)[labels.value]
    rows = pd.DataFrame({labels.id: ids, "target": target, labels.value: value})
    rows = drop_rows(rows, ids.isin(ids[value.isna()]))
    check_classes(rows, labels.value, facts, path)
    rows = merge_repeated_rows(rows, [labels.id, "target"], [labels.value], facts, path)
    repeated = rows.duplicated([labels.id, "target"])
    if repeated.any():
        names = (rows[labels.id] + "_" + rows["target"])[repeated]
        fix = "Write how to merge them: labels.repeated: same, max or majority"
        raise UserError(
            f"{count_of(repeated.sum(), 'row appears', 'rows appear')} more than once: {shorten_list(names)}", path, fix
        )
    train = rows.pivot(index=labels.id, columns="target", values=labels.value)
    train = train.reindex(columns=labels.targets)
    incomplete = train.index[train.isna().any(axis=1)]
    if len(incomplete):
        what = (
            f"{count_of(len(incomplete), 'id has', 'ids have')} no row for some of the labels: "
            f"{shorten_list(incomplete)}"
        )
        raise UserError(what, path, "Add the rows, or remove the ids from the table")
    return train.reset_index().rename_axis(columns=None)
