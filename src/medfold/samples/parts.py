"""Parts of data sets: the words that folders, tables and columns use for train, valid and test."""

import re

WORDS = {
    **dict.fromkeys(("train", "training", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "valid"),
    **dict.fromkeys(("test", "testing", "testset"), "test"),
}


def part_of(name: str) -> str | None:
    """Which part a name tells of, in any case: train, valid or test; None if it does not say.

    >>> part_of("Testing_Set"), part_of("train2019"), part_of("ValidImages"), part_of("latest")
    ('test', 'train', 'valid', None)
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return next((WORDS[word.lower()] for word in words if word.lower() in WORDS), None)
