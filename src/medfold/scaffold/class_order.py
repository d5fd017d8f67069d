"""Order of classes: the negative one first, numbers by their value."""

import re
from collections.abc import Iterable

# Words by which data sets name their negative class, in any case and with any separator.
HEALTHY = ("normal", "healthy", "benign", "negative", "control", "absent", "clean", "no", "none", "false", "neg", "n")
HEALTHY += ("non", "not", "without", "uninfected", "unaffected", "nontumor", "noncancer")


def is_healthy(name: str) -> bool:
    """Returns True if the name of a class contains a word for healthy: normal, benign, no_tumor, uninfected."""
    return any(word in HEALTHY for word in re.split(r"[\s_-]+", name.lower()))


def negative_first(names: list[str]) -> list[str]:
    """Orders two classes: the one named by a word for healthy first; unchanged if neither or both are."""
    first, second = names
    return [second, first] if is_healthy(second) and not is_healthy(first) else names


def sort_classes(names: Iterable[str]) -> list[str]:
    """Sorts names of classes: numbers by their value, then the other names."""
    names = list(names)
    numbers = {name: int(name) for name in names if re.fullmatch(r"-?\d+", name)}
    return sorted(names, key=lambda name: (name not in numbers, numbers.get(name, 0), name))
