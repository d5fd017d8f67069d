"""Columns of the label table that no fact uses."""

import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.paths import CompetitionPaths
from medfold.raw_files import read_table
from medfold.system.path_checks import path_inside


def read_extra_columns(facts: CompetitionFacts, paths: CompetitionPaths, ids: pd.Series) -> pd.DataFrame:
    """Reads the columns of the label table that no fact uses, such as age or sex.

    Uses the first row of each id. Without a label table, or if it lacks some of the ids, there are no columns.

    Args:
        facts: facts of the competition (`labels` and the classes).
        paths: paths of the raw data, with the label table.
        ids: ids of the samples to look up, text (n,).

    Returns:
        Text columns, one row per id, in the order of `ids`.
    """
    labels = facts.labels
    no_columns = pd.DataFrame(index=ids.index)
    path = path_inside(paths.raw_root(facts.images.root), labels.file)
    if labels.layout not in ("wide", "one_hot", "lists") or not path.is_file():
        return no_columns
    table = read_table(path, {labels.id: "labels.id"}).drop_duplicates(labels.id).set_index(labels.id)
    used = {labels.value, labels.group, *labels.targets, *facts.class_names, *labels.keep_columns}
    table = table[[column for column in table if column not in used]]
    # Ids that are in train and in test have their folder in front.
    original_ids = ids.where(ids.isin(table.index), ids.str.rpartition("/")[2])
    return table.reindex(original_ids).set_axis(ids.index) if set(original_ids) <= set(table.index) else no_columns
