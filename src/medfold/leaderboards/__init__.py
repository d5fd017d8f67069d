"""Where a submission is scored. One module per `upload` in competition.yaml, with one function

`place(competition, paths, table, groups, file)`: scores or uploads a checked submission and returns a `Placed`.
"""

import importlib
from dataclasses import dataclass, field
from types import ModuleType

import pandas as pd

UPLOADS = {"local": "local", "csv": "by_hand", "notebook": "by_hand"}


@dataclass(frozen=True)
class Placed:
    """What became of a submission.

    Args:
        status: for the ledger.
        public, private: scores on the two parts of the leaderboard; None where there is none.
        lines: what to print, (fact, value).
        rivals: a ranked table among published scores, with the row of this submission; None without any.
        mine: the position of this submission in it.
    """

    status: str
    public: float | None = None
    private: float | None = None
    lines: list[tuple[str, str]] = field(default_factory=list)
    rivals: pd.DataFrame | None = None
    mine: int | None = None


def of(upload: str) -> ModuleType:
    """The module of a kind of upload."""
    return importlib.import_module(f"medfold.leaderboards.{UPLOADS[upload]}")
