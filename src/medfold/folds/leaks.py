"""The audit: what could make a score look better than it is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medfold.errors import shorten_list
from medfold.images import ONE_VALUE

SHOWN = 3  # ids of a cluster on the terminal


@dataclass(frozen=True)
class LeakReport:
    """What was found, each as lists of ids.

    Args:
        split: groups found in more than one fold (must be none).
        duplicates: clusters of two or more training samples with equal pixels.
        contradicting: those clusters among them whose labels differ.
        leaked: pairs of a training and a test sample with equal pixels.
        near: pairs of training samples that look alike; None if nobody looked.
        near_split: those pairs among them that stand in different folds.
        near_leaked: pairs of a training and a test sample that look alike; None if nobody looked.
        plain: training samples whose pixels all have one value, each by itself; None without any.
    """

    split: list[int]
    duplicates: list[list[str]]
    contradicting: list[list[str]]
    leaked: list[list[str]]
    near: list[list[str]] | None = None
    near_split: list[list[str]] | None = None
    near_leaked: list[list[str]] | None = None
    plain: list[list[str]] | None = None

    def lines(self) -> list[tuple[str, str]]:
        """What to print: a fact and its value, three examples named."""

        def listed(clusters: list[list[str]], what: str, sign: str = " = ") -> str:
            examples = [
                sign.join(ids[:SHOWN]) + f" and {len(ids) - SHOWN} more" * (len(ids) > SHOWN) for ids in clusters
            ]
            return f"{len(clusters):,}{what}: {shorten_list(examples)}" if clusters else "none"

        lines = [
            ("groups in two folds", shorten_list(self.split) if self.split else "none"),
            ("exact duplicates in train", listed(self.duplicates, ", each in one fold")),
            ("duplicates with different labels", listed(self.contradicting, "")),
            ("train images found in test", listed(self.leaked, "")),
        ]
        if self.plain:
            lines.append(("images of one value", listed(self.plain, ", which are no copies of each other")))
        if self.near is not None:
            apart = f" pairs, {len(self.near_split):,} of them in different folds (folds.duplicates: near joins them)"
            how = apart if self.near_split else " pairs, each in one fold"
            lines.append(("near-duplicates in train", listed(self.near, how, " ~ ")))
            lines.append(("near-duplicates in test", listed(self.near_leaked, " pairs", " ~ ")))
        return lines

    def table(self) -> pd.DataFrame:
        """Every finding as a row: kind and ids, in the terminal's notation 'a = b', and 'a ~ b' of what looks alike."""
        rows = [
            (kind, (" ~ " if kind.startswith("near") else " = ").join(ids))
            for kind in FINDINGS[1:]
            for ids in getattr(self, kind) or []
        ]
        return pd.DataFrame(rows, columns=["kind", "ids"])

    def counts(self) -> dict[str, int]:
        """The number of findings of each kind, for `folds/<competition>.json`."""
        found = {name: getattr(self, name) for name in FINDINGS}
        return {name: len(items) for name, items in found.items() if items is not None}


FINDINGS = ("split", "duplicates", "contradicting", "leaked", "near", "near_split", "near_leaked", "plain")


def find_leaks(
    train: pd.DataFrame, test: pd.DataFrame, targets: np.ndarray, near: list[tuple[str, str]] | None = None
) -> LeakReport:
    """Looks for leaks.

    Args:
        train: columns id, group, fold, hash.
        test: columns id, hash.
        targets: int (n,) or (n, labels), in the order of `train`.
        near: pairs of ids whose images look alike but are not equal; None if nobody looked.
    """
    folds_of_group = train.groupby("group")["fold"].nunique()
    split = folds_of_group.index[folds_of_group > 1].tolist()

    twice = train["hash"].duplicated(keep=False).to_numpy()
    cluster, _ = pd.factorize(train["hash"].to_numpy()[twice])
    order = np.argsort(cluster, kind="stable")
    begins = np.flatnonzero(np.diff(cluster[order])) + 1
    ids = [part.tolist() for part in np.split(train["id"].to_numpy()[twice][order], begins) if len(part)]
    labels = pd.DataFrame(targets[twice]).groupby(cluster)
    differ = (labels.min() != labels.max()).any(axis=1).to_numpy()
    pairs = train[["id", "hash"]].merge(test[["id", "hash"]], on="hash", suffixes=("", "_test"))
    return LeakReport(
        split=split,
        duplicates=ids,
        contradicting=[cluster for cluster, wrong in zip(ids, differ, strict=True) if wrong],
        leaked=pairs[["id", "id_test"]].to_numpy().tolist(),
        plain=[[id] for id in train.loc[train["hash"].str.startswith(ONE_VALUE), "id"]] or None,
        **(_near(train, test, near) if near is not None else {}),
    )


def _near(train: pd.DataFrame, test: pd.DataFrame, pairs: list[tuple[str, str]]) -> dict[str, list[list[str]]]:
    fold, in_test = train.set_index("id")["fold"].to_dict(), set(test["id"])
    within = [[a, b] for a, b in pairs if a in fold and b in fold]
    across = [sorted(pair, key=in_test.__contains__) for pair in pairs if len(in_test.intersection(pair)) == 1]
    return {"near": within, "near_split": [[a, b] for a, b in within if fold[a] != fold[b]], "near_leaked": across}
