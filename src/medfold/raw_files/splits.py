"""Names of the splits of a data set: the words that folders, tables and columns use for train, valid and test."""

import re
from collections.abc import Collection

SPLIT_BY_WORD = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation"), "valid"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
NOUN_SUFFIX = re.compile(
    r"(?<=.)(sets?|data|images?|imgs?|files?|labels?|split|part)$", re.I
)  # the second noun of 'testset'


def split_from_name(name: str) -> str | None:
    """Returns the split that a name refers to: train, valid or test; None if it names no split. Case is ignored.

    >>> [split_from_name(name) for name in ("Testing_Set", "train2019", "ValidImages", "latest")]
    ['test', 'train', 'valid', None]
    """
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    words = [form for word in words for form in (word, NOUN_SUFFIX.sub("", word))]
    return next((SPLIT_BY_WORD[word] for word in words if word in SPLIT_BY_WORD), None)


def choose_test_split(splits: Collection[str]) -> str:
    """Returns the split to test on: test, or valid if there is no test set."""
    return "test" if "test" in splits else "valid"
