"""Layout `one_hot`: a column per class."""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.data.label_layouts.layout import TrainTestSolution, label_layout
from medfold.data.label_layouts.table_layouts import read_label_table
from medfold.errors import UserError
from medfold.raw_files import is_one_hot, parse_binary_columns
from medfold.text import count_of, shorten_list


@label_layout
def one_hot(facts: CompetitionFacts, raw: Path) -> TrainTestSolution:
    """One row per image in a table, one column per class: 1 for the class of the image, 0 for the others."""
    return read_label_table(facts, raw, dict.fromkeys(facts.class_names, "classes"), _one_hot)


def _one_hot(table: pd.DataFrame, facts: CompetitionFacts, path: Path) -> pd.DataFrame:
    names = facts.class_names
    (target,) = facts.labels.targets
    marks = parse_binary_columns(table, names)
    wrong = ~is_one_hot(marks)
    if wrong.any():
        ids = table[facts.labels.id][wrong]
        what = (
            f"{count_of(wrong.sum(), 'row does', 'rows do')} not have one 1 and else 0 in "
            f"{shorten_list(names, 6)}: {shorten_list(ids)}"
        )
        raise UserError(what, path, "With several labels per image: task multilabel, labels.layout wide")
    return table.assign(**{target: np.array(names, object)[marks.to_numpy().argmax(axis=1)]})
