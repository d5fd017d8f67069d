"""Settings and data for training the folds of a run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts, Recipe
from medfold.images import Store


@dataclass(frozen=True)
class RunInputs:
    """Settings and data for training the folds of a run.

    Args:
        facts: facts of the competition (task, classes, channels and symmetry of the images, metric).
        recipe: the recipe of the run.
        seed: the seed of the run.
        store: the prepared images; None while their files are sent to a node of a cluster.
        train: the training samples: id, unit, group, fold; in the order of `targets`.
        targets: class numbers, int (n,); multilabel: 0 or 1 for each label, int (n, labels).
        test: the test samples: id.
        features_file: file for the features of the frozen backbone; written when it is needed.
        num_workers: number of processes that make batches; it does not change the result. None for a number that suits
            the machine where a fold is trained. Defaults to 0: batches are made in the process of the training.
        plugins_hash: hash of the competition's plugins.py; a checkpoint with another hash is ignored. Defaults to none.
    """

    facts: CompetitionFacts
    recipe: Recipe
    seed: int
    store: Store | None
    train: pd.DataFrame
    targets: np.ndarray
    test: pd.DataFrame
    features_file: Path
    num_workers: int | None = 0
    plugins_hash: str | None = None
