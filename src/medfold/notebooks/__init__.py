"""Competitions that take notebooks: what is packed for Kaggle's machines, and what runs there.

- `packing`: trained folds, package and facts -> a folder that becomes a private data set, the kit;
- `ipynb`: the notebook;
- `kit`: the kit, opened on Kaggle's machines;
- `hidden_test`: the hidden test set, predicted within memory and time (`budget`).
"""

from medfold.notebooks.kit import Kit

__all__ = ["Kit"]
