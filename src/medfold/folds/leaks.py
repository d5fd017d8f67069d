"""Leaks between folds, and into the test set."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from medfold.images import ONE_VALUE_PREFIX


@dataclass(frozen=True)
class LeakReport:
    """Leaks, duplicates and images of one value: groups, or lists of ids.

    Args:
        split_groups: groups in more than one fold (must be empty).
        duplicates: lists of two or more training samples with identical pixels.
        contradicting_duplicates: those of `duplicates` whose labels differ.
        duplicates_in_test: pairs of a training and a test sample with identical pixels.
        near_duplicates: pairs of near-duplicate training samples; None if near-duplicates were not computed.
        split_near_duplicates: pairs of `near_duplicates` that are in different folds.
        near_duplicates_in_test: near-duplicate pairs of a training and a test sample; None if not computed.
        images_of_one_value: training samples whose pixels all have one value, each in its own list; None without any.
    """

    split_groups: list[int]
    duplicates: list[list[str]]
    contradicting_duplicates: list[list[str]]
    duplicates_in_test: list[list[str]]
    near_duplicates: list[list[str]] | None = None
    split_near_duplicates: list[list[str]] | None = None
    near_duplicates_in_test: list[list[str]] | None = None
    images_of_one_value: list[list[str]] | None = None

    def table(self) -> pd.DataFrame:
        """Returns a row per leak: kind and ids, written 'a = b', or 'a ~ b' for near-duplicates."""
        rows = [
            (kind, (" ~ " if "near_duplicates" in kind else " = ").join(ids))
            for kind, items in self._by_kind().items()
            if kind != "split_groups"  # groups are not ids
            for ids in items
        ]
        return pd.DataFrame(rows, columns=["kind", "ids"])

    def counts(self) -> dict[str, int]:
        """Returns the number of leaks of each kind, for `folds/<competition>.json`."""
        return {kind: len(items) for kind, items in self._by_kind().items()}

    def _by_kind(self) -> dict[str, list]:
        """Returns the leaks by kind, without those that were not computed."""
        by_kind = {field.name: getattr(self, field.name) for field in fields(self)}
        return {kind: items for kind, items in by_kind.items() if items is not None}


def find_leaks(
    train: pd.DataFrame, test: pd.DataFrame, targets: np.ndarray, near_pairs: list[tuple[str, str]] | None = None
) -> LeakReport:
    """Searches the folds and the test set for leaks.

    Args:
        train: training samples with the columns id, group, fold and pixel_hash.
        test: test samples with the columns id and pixel_hash.
        targets: int (n,) or (n, labels), in the order of `train`.
        near_pairs: pairs of ids of near-duplicates, identical pixels left out. Defaults to not computed.

    Returns:
        The leaks, duplicates and images of one value; `split_groups` must be empty.
    """
    folds_of_group = train.groupby("group")["fold"].nunique()
    split_groups = folds_of_group.index[folds_of_group > 1].tolist()

    duplicated = train["pixel_hash"].duplicated(keep=False).to_numpy()
    # Samples with equal pixel hashes are a set of copies: ids are sorted by set, and cut where the next one begins.
    set_numbers, _ = pd.factorize(train["pixel_hash"].to_numpy()[duplicated])
    order = np.argsort(set_numbers, kind="stable")
    starts = np.flatnonzero(np.diff(set_numbers[order])) + 1
    sets = [ids.tolist() for ids in np.split(train["id"].to_numpy()[duplicated][order], starts) if len(ids)]
    labels = pd.DataFrame(targets[duplicated]).groupby(set_numbers)
    contradictory = (labels.min() != labels.max()).any(axis=1).to_numpy()
    pairs = train[["id", "pixel_hash"]].merge(test[["id", "pixel_hash"]], on="pixel_hash", suffixes=("", "_test"))
    one_value = train.loc[train["pixel_hash"].str.startswith(ONE_VALUE_PREFIX), "id"]
    return LeakReport(
        split_groups=split_groups,
        duplicates=sets,
        contradicting_duplicates=[ids for ids, differs in zip(sets, contradictory, strict=True) if differs],
        duplicates_in_test=pairs[["id", "id_test"]].to_numpy().tolist(),
        images_of_one_value=[[image_id] for image_id in one_value] or None,
        **(_near_duplicate_leaks(train, test, near_pairs) if near_pairs is not None else {}),
    )


def _near_duplicate_leaks(
    train: pd.DataFrame, test: pd.DataFrame, pairs: list[tuple[str, str]]
) -> dict[str, list[list[str]]]:
    """Returns the leaks by near-duplicates, as arguments of `LeakReport`."""
    fold = train.set_index("id")["fold"].to_dict()
    in_test = set(test["id"])
    within = [[a, b] for a, b in pairs if a in fold and b in fold]
    across = [sorted(pair, key=in_test.__contains__) for pair in pairs if len(in_test.intersection(pair)) == 1]
    return {
        "near_duplicates": within,
        "split_near_duplicates": [[a, b] for a, b in within if fold[a] != fold[b]],
        "near_duplicates_in_test": across,
    }
