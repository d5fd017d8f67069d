"""The truth about a look-alike, for tests to compare with."""

from collections.abc import Iterable
from typing import Any

Labels = dict[str, dict[str, str]]  # by id: the value of each target, as text


def single(target: str, values: dict[str, Any]) -> Labels:
    """Labels of one target."""
    return {id: {target: str(value)} for id, value in values.items()}


def several(targets: list[str], members: dict[str, Iterable[str]]) -> Labels:
    """Labels of several targets, from the names of those that are positive."""
    return {id: {target: str(int(target in set(names))) for target in targets} for id, names in members.items()}


def truth(
    labels: Labels,
    images: dict[str, str],
    test: Iterable[str] | None = None,
    groups: dict[str, str] | None = None,
    units: Iterable[str] | None = None,
    answers: Labels | None = None,
    id_column: str = "id",
    **more: Any,
) -> dict[str, Any]:
    """All that a test can check: the arguments by name, and values that follow from them.

    Args:
        labels: labels of the training set.
        images: the image of each id of train and test, as the sample table has it.
        test: ids of the test set, in its order. Defaults to none: `labels.holdout` makes one.
        groups: the group of each training id. Defaults to none known.
        units: what the submission has a row for, in its order. Defaults to the ids of the test set.
        answers: hidden labels of the units.
        id_column: the id column of the submission.
        more: further facts about this look-alike.
    """
    test = None if test is None else list(test)
    units = test if units is None else list(units)
    counts = {"train": len(labels), "test": len(test or [])}
    targets = list(next(iter(labels.values())))
    return {
        "train": list(labels),
        "test": test,
        "labels": labels,
        "images": images,
        "groups": groups,
        "units": units,
        "answers": answers,
        "id_column": id_column,
        "targets": targets,
        "counts": counts,
        **more,
    }
