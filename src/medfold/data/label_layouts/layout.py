"""Registry of the label layouts, the values of labels.layout."""

from collections.abc import Callable

import pandas as pd

from medfold.registry import Registry

LAYOUTS: Registry[Callable] = Registry("label layout")
TrainTestSolution = tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame | None]  # train, test, solution


def label_layout(function: Callable) -> Callable:
    """Registers `function(facts, raw) -> (train, test, solution)` under its own name.

    `train` and `test` have the columns `id`, `image`, `unit`, `patient` (text, or missing) and, in train, the targets.
    `solution` has `id`, the targets and `usage`; it is None where the raw data has no labels of the test set. With
    labels.holdout, `test` is None.
    """
    LAYOUTS.register(function.__name__, function, function.__module__)
    return function
