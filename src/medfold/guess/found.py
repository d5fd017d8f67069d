"""What is guessed: facts, the reason for each, and what to check."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LOOKED_AT = 2000  # rows of a table, to find out what its columns are
MOST_LABELS = 200


@dataclass
class Guess:
    """Facts as competition.yaml has them, and for each that was guessed (key, value, why)."""

    facts: dict[str, Any] = field(default_factory=dict)
    reasons: list[tuple[str, str, str]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def tell(self, key: str, value: object, why: str) -> None:
        self.reasons.append((key, str(value), why))


@dataclass(frozen=True)
class Ids:
    """Which column of a table names the images, and how.

    Args:
        column: of the ids.
        share: of the ids that have an image.
        endings: what names end with after the id: labels of long tables, channels of images; in the order they occur.
        long: True if rows, not files, have the endings.
    """

    column: str
    share: float
    endings: tuple[str, ...] = ()
    long: bool = False


def in_order(names: Iterable[str]) -> list[str]:
    """Numbers by their value, then the other names."""
    return sorted(names, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))
