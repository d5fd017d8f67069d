"""Layout `wide`: a column per target."""

from pathlib import Path

import pandas as pd

from medfold.competition import Competition
from medfold.data import label_tables
from medfold.data.label_layouts.label_table import read_label_table
from medfold.data.label_layouts.layout import Parts, label_layout


@label_layout
def wide(competition: Competition, raw: Path) -> Parts:
    """One row per image in a table, one column per target."""
    return read_label_table(competition, raw, competition.labels.targets, _wide)


def _wide(table: pd.DataFrame, competition: Competition, path: Path) -> pd.DataFrame:
    mapped = label_tables.map_labels(table[competition.labels.targets], competition)
    table = label_tables.drop_rows(table.assign(**mapped), mapped.isna().any(axis=1))
    for target in competition.labels.targets:
        label_tables.check_classes(table, target, competition, path)
    return table
