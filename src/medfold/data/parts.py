"""Parts of data sets: the words that folders, tables and columns use for train, valid and test."""

import re
from collections.abc import Collection

WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation"), "valid"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
HELD = re.compile(r"(?<=.)(sets?|data|images?|imgs?|files?|labels?|split|part)$", re.I)  # behind a word: testset


def part_from_name(name: str) -> str | None:
    """Which part a name tells of, in any case: train, valid or test; None if it does not say.

    >>> part_of("Testing_Set"), part_of("train2019"), part_of("ValidImages"), part_of("latest")
    ('test', 'train', 'valid', None)
    """
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    words = [bare for word in words for bare in (word, HELD.sub("", word))]
    return next((WORDS[word] for word in words if word in WORDS), None)


def choose_test_part(parts: Collection[str]) -> str:
    """The part to test on: test, or the validation part where there is no other."""
    return "test" if "test" in parts else "valid"
