"""What is guessed: facts, the reason for each, and what to check."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LOOKED_AT = 2000  # rows of a table, to find out what its columns are
MOST_LABELS = 200


@dataclass
class Draft:
    """Facts as competition.yaml has them, and for each that was guessed (key, value, why)."""

    facts: dict[str, Any] = field(default_factory=dict)
    reasons: list[tuple[str, str, str]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def tell(self, key: str, value: object, why: str) -> None:
        self.reasons.append((key, str(value), why))

    def two_classes(self, names: list[str]) -> None:
        """Sets the classes of a binary task and tells which of them is positive, or that it cannot be told."""
        negative, positive = self.facts["classes"] = negative_first(names)
        if is_healthy(negative) and not is_healthy(positive):
            why = f"'{positive}' is positive: '{negative}' is a word for healthy"
            self.tell("classes", f"{negative}, {positive}", why)
        else:
            self.doubts.append(f"classes: I cannot tell which is positive; now it is '{positive}', the second one")


@dataclass(frozen=True)
class Ids:
    """Which column of a table names the images, and how.

    Args:
        column: of the ids.
        share: of the ids that have an image.
        endings: what names end with after the id: labels of long tables, channels of images; in the order they occur.
        long: True if rows, not files, have the endings.
        others: further columns whose values name images.
    """

    column: str
    share: float
    endings: tuple[str, ...] = ()
    long: bool = False
    others: tuple[str, ...] = ()


# Words for 'nothing found', as data sets name their negative class; whatever their case and what stands between them.
HEALTHY = ("normal", "healthy", "benign", "negative", "control", "absent", "clean", "no", "none", "false", "neg", "n")
HEALTHY += ("non", "not", "without", "uninfected", "unaffected", "nontumor", "noncancer")


def is_healthy(name: str) -> bool:
    """True if a class is named by a word for healthy: normal, benign, no_tumor, non-cancer, uninfected."""
    return any(word in HEALTHY for word in re.split(r"[\s_-]+", name.lower()))


def negative_first(names: list[str]) -> list[str]:
    """Two classes, that which is named by a word for healthy first; as they are if neither or both are."""
    first, second = names
    return [second, first] if is_healthy(second) and not is_healthy(first) else names


def sort_classes(names: Iterable[str]) -> list[str]:
    """Numbers by their value, then the other names."""
    names = list(names)
    number = {name: int(name) for name in names if re.fullmatch(r"-?\d+", name)}
    return sorted(names, key=lambda name: (name not in number, number.get(name, 0), name))
