"""The audit: what could make a score look better than it is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.errors import some


@dataclass(frozen=True)
class Audit:
    """What was found, each as lists of ids.

    Args:
        split: groups found in more than one fold (must be none).
        duplicates: clusters of two or more training samples with equal pixels.
        contradicting: those clusters among them whose labels differ.
        leaked: pairs of a training and a test sample with equal pixels.
    """

    split: list[int]
    duplicates: list[list[str]]
    contradicting: list[list[str]]
    leaked: list[list[str]]

    def lines(self) -> list[tuple[str, str]]:
        """What to print: a fact and its value, a few ids named."""

        def listed(clusters: list[list[str]], what: str) -> str:
            return f"{len(clusters)}{what}: {some((' = '.join(ids) for ids in clusters), 2)}" if clusters else "none"

        return [
            ("groups in two folds", some(self.split) if self.split else "none"),
            ("exact duplicates in train", listed(self.duplicates, ", each in one fold")),
            ("duplicates with different labels", listed(self.contradicting, "")),
            ("train images found in test", listed(self.leaked, "")),
        ]

    def table(self) -> pd.DataFrame:
        """Every finding as a row: kind and ids, in the terminal's notation 'a = b'."""
        rows = [
            (kind, " = ".join(ids)) for kind in ("duplicates", "contradicting", "leaked") for ids in getattr(self, kind)
        ]
        return pd.DataFrame(rows, columns=["kind", "ids"])

    def counts(self) -> dict[str, int]:
        """The number of findings of each kind, for `folds/<competition>.json`."""
        return {name: len(getattr(self, name)) for name in ("split", "duplicates", "contradicting", "leaked")}


def audit(train: pd.DataFrame, test: pd.DataFrame, targets: np.ndarray) -> Audit:
    """Looks for leaks.

    Args:
        train: columns id, group, fold, hash.
        test: columns id, hash.
        targets: int (n,) or (n, labels), in the order of `train`.
    """
    folds_of_group = train.groupby("group")["fold"].nunique()
    split = folds_of_group.index[folds_of_group > 1].tolist()

    twice = train[train["hash"].duplicated(keep=False)]
    clusters = [list(rows) for _, rows in sorted(twice.groupby("hash").groups.items(), key=lambda item: item[1][0])]
    labels = targets if targets.ndim == 2 else targets[:, None]
    position = pd.Series(np.arange(len(train)), index=train.index)
    ids = [train.loc[rows, "id"].tolist() for rows in clusters]
    differ = [len(np.unique(labels[position.loc[rows]], axis=0)) > 1 for rows in clusters]
    pairs = train[["id", "hash"]].merge(test[["id", "hash"]], on="hash", suffixes=("", "_test"))
    return Audit(
        split=split,
        duplicates=ids,
        contradicting=[cluster for cluster, wrong in zip(ids, differ, strict=True) if wrong],
        leaked=pairs[["id", "id_test"]].to_numpy().tolist(),
    )
