"""Targets: the labels of samples as numbers."""

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts


def encode_targets(facts: CompetitionFacts, table: pd.DataFrame) -> np.ndarray:
    """Encodes the targets of a table with text columns as numbers.

    Returns:
        int64 (n,): class numbers (multiclass, ordinal) or 0 and 1 (binary); or int64 (n, labels) of 0 and 1.
    """
    numbers = {name: number for number, name in enumerate(facts.class_names)}
    columns = [table[target].map(numbers).to_numpy(np.int64) for target in facts.labels.targets]
    return np.stack(columns, axis=1) if facts.task == "multilabel" else columns[0]
