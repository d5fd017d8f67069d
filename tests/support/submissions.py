"""Sample submissions and predictions of three units, and the rows of a ledger."""

import numpy as np
import pandas as pd

from medfold.submission import read_ledger

IDS = ["007", "1e5", "c"]


def sample(**columns):
    return pd.DataFrame({"id": IDS, **(columns or {"target": ["0"] * 3})}, dtype=str)


def predicted(columns=("target",), seed=0):
    table = pd.DataFrame(np.random.default_rng(seed).random((3, len(columns))), columns=list(columns))
    return table.assign(id=IDS)


LONG = {"submission": {"layout": "long", "id": "ID"}}


def long_sample(order):
    names = [f"{id}_{label}" for id in ("ID_1", "ID_2") for label in ("a", "b")]
    return pd.DataFrame({"ID": [names[number] for number in order], "Label": "0.5"}, dtype=str)


def ledger(competition) -> list[dict]:
    """Returns the rows of the ledger of the project of a competition."""
    return read_ledger(competition.project_paths).to_dict("records")
