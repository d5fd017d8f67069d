"""Kinds of files that the campaign `fuzz` damages, and how each is read.

- `damage`: damages of bytes, nested values, tables and archives;
- `images`, `tables`, `archives`: raw data; `projects`: competition.yaml, recipes, run folders and other files of a
  project; `bundles`: bundles for Kaggle, checkpoints and weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

READ = "read"


@dataclass(frozen=True)
class Subject:
    """A kind of file that is damaged and read.

    Args:
        prepare: (folder) -> None: writes undamaged files, from which all copies are made, into an empty folder.
        attempt: (generator, folder of `prepare`, empty folder) -> `READ`, or the line of the UserError: makes a
            damaged copy in the empty folder, and reads it; an undamaged one without a generator.
        blocks: cases of a hundred copies each, at full size.
    """

    prepare: Callable[[Path], None]
    attempt: Callable[[np.random.Generator | None, Path, Path], str]
    blocks: int = 20
