"""Kaggle's machines: what is packed for them, and what runs there.

To submit, where a competition takes notebooks:

- `packing`: trained folds, package and facts -> a folder that becomes a private data set, the kit;
- `kit`: the kit, opened there;
- `hidden_test`: the hidden test set, predicted within memory and time (`budget`).

To train:

- `job`: recipe, folds table and states -> such a folder, opened there; what comes of it, packed and brought back.

For both:

- `wheels`: what is installed there;
- `ipynb`: the notebooks;
- `mounts`: where they find what is attached;
- `errand`: placed, run and waited for, nothing twice.
"""

from medfold.notebooks.bundle import Kit
from medfold.notebooks.training_bundle import Job

__all__ = ["Job", "Kit"]
