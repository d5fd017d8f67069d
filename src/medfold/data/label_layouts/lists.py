"""Layout `lists`: a column that lists the labels of an image."""

from functools import partial
from pathlib import Path

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data.label_layouts.layout import TrainTestSolution, label_layout
from medfold.data.label_layouts.table_layouts import read_label_table
from medfold.errors import UserError
from medfold.project_root import display_path
from medfold.raw_files import drop_rows, map_labels, match_class_spelling, split_label_list
from medfold.text import shorten_list


@label_layout
def lists(facts: CompetitionFacts, raw: Path) -> TrainTestSolution:
    """One row per image in a table; the column labels.value lists its labels, separated by labels.separator."""
    return read_label_table(facts, raw, {facts.labels.value: "labels.value"}, _lists)


def _lists(table: pd.DataFrame, facts: CompetitionFacts, path: Path) -> pd.DataFrame:
    """Turns the lists of labels into target columns of 0 and 1."""
    labels = facts.labels
    names = (
        table[labels.value].map(partial(split_label_list, separator=labels.separator)).explode().fillna("").to_frame()
    )
    names = map_labels(names, facts)[labels.value]
    table = drop_rows(table, pd.Series(table.index.isin(names.index[names.isna()]), table.index))
    names = match_class_spelling(names[names.notna() & (names != "")], [*labels.targets, *labels.ignore])
    names = names[~names.isin(labels.ignore)]
    unknown = names[~names.isin(labels.targets)]
    if len(unknown):
        where = f"{display_path(path)}: row {unknown.index[0] + 2}, column '{labels.value}'"
        known = shorten_list(labels.targets, 30)
        fix = f"Add it to labels.targets or labels.ignore, or map it by labels.map. Known: {known}"
        raise UserError(f"unknown label '{unknown.iloc[0]}'", where, fix)
    counts = pd.crosstab(names.index, names).reindex(index=table.index, columns=labels.targets, fill_value=0)
    table[labels.targets] = (counts.to_numpy() > 0).astype(int).astype(str)
    return table
