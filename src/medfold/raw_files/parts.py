"""Names of the parts of a data set: the words that folders, tables and columns use for train, valid and test."""

import re
from collections.abc import Collection

PART_BY_WORD = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation"), "valid"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
NOUN_SUFFIX = re.compile(
    r"(?<=.)(sets?|data|images?|imgs?|files?|labels?|split|part)$", re.I
)  # the second noun of 'testset'


def part_from_name(name: str) -> str | None:
    """Returns the part that a name refers to: train, valid or test; None if it names no part. Case is ignored.

    >>> [part_from_name(name) for name in ("Testing_Set", "train2019", "ValidImages", "latest")]
    ['test', 'train', 'valid', None]
    """
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    words = [form for word in words for form in (word, NOUN_SUFFIX.sub("", word))]
    return next((PART_BY_WORD[word] for word in words if word in PART_BY_WORD), None)


def choose_test_part(parts: Collection[str]) -> str:
    """Returns the part to test on: test, or valid if there is no test set."""
    return "test" if "test" in parts else "valid"
