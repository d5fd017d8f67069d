"""A draft of competition.yaml: guessed facts, the reason for each, and doubts to check."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from medfold.scaffold.class_order import is_healthy, negative_first

MAX_INSPECTED = 2000  # number of rows or files that are examined for a guess
MAX_LABELS = 200  # a column or a folder level with more names does not hold classes


class Reason(NamedTuple):
    """The reason of a guess.

    Args:
        key: key of competition.yaml, such as `labels.id`.
        value: guessed value, as text.
        why: reason, as text for the user.
    """

    key: str
    value: str
    why: str


class Doubt(NamedTuple):
    """A point for the user to check.

    Args:
        key: key of competition.yaml that it is about, such as `labels.id`; empty for the files as a whole.
        what: what to check, as text for the user.
    """

    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what}" if self.key else self.what


@dataclass
class Draft:
    """Guessed facts, with reasons and doubts.

    Args:
        facts: keys and values, as in competition.yaml.
        reasons: the reasons of the guesses, in their order.
        doubts: points for the user to check.
        num_images: number of training images.
        largest_side: largest height or width of the images examined, in pixels; None if none was read.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    num_images: int = 0
    largest_side: int | None = None

    def add_reason(self, key: str, value: object, why: str) -> None:
        """Adds the reason of a guess: its key, its value and why it was guessed."""
        self.reasons.append(Reason(key, str(value), why))

    def drop_reasons(self, key: str) -> None:
        """Removes the reasons of a key."""
        self.reasons = [reason for reason in self.reasons if reason.key != key]

    def add_doubt(self, key: str, what: str) -> None:
        """Adds a point to check about a key."""
        self.doubts.append(Doubt(key, what))

    def drop_doubts(self, key: str) -> None:
        """Removes the doubts about a key."""
        self.doubts = [doubt for doubt in self.doubts if doubt.key != key]

    def set_two_classes(self, names: list[str]) -> None:
        """Sets the classes of a binary task, with a reason for the positive one, or a doubt if it is not clear."""
        negative, positive = self.facts["classes"] = negative_first(names)
        if is_healthy(negative) and not is_healthy(positive):
            why = f"'{positive}' is positive: '{negative}' names the negative class"
            self.add_reason("classes", f"{negative}, {positive}", why)
        else:
            self.add_doubt("classes", f"unclear which class is positive; '{positive}' is used, the second one")
