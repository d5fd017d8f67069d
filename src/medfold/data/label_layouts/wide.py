"""Layout `wide`: a column per target."""

from pathlib import Path

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data.label_layouts.layout import TrainTestSolution, label_layout
from medfold.data.label_layouts.table_layouts import read_label_table
from medfold.raw_files import check_classes, drop_rows, map_labels


@label_layout
def wide(facts: CompetitionFacts, raw: Path) -> TrainTestSolution:
    """One row per image in a table, one column per target."""
    return read_label_table(facts, raw, dict.fromkeys(facts.labels.targets, "labels.targets"), _wide)


def _wide(table: pd.DataFrame, facts: CompetitionFacts, path: Path) -> pd.DataFrame:
    mapped = map_labels(table[facts.labels.targets], facts)
    table = drop_rows(table.assign(**mapped), mapped.isna().any(axis=1))
    for target in facts.labels.targets:
        check_classes(table, target, facts, path)
    return table
