"""Names that users chose: text of any script and length inside the English of the page."""

import unicodedata

SHORT = 44  # letters of a name that is shown whole on every screen
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
RIGHT_TO_LEFT = {"R", "AL", "AN", "RLE", "RLO", "RLI"}


def isolate(name: object) -> str:
    """A name that leaves the order of the words around it alone, to be put into a sentence.

    Without it, "true <Arabic name>, predicted 0.9" is shown with the number on the wrong side of the name.

    Args:
        name: any text, shown as `str` has it.

    Returns:
        The name between two invisible Unicode characters if it holds letters that are read from right to left; else as
        it is.
    """
    text = str(name)
    if any(unicodedata.bidirectional(character) in RIGHT_TO_LEFT for character in text):
        return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"
    return text


def listed(names: list[str]) -> str:
    """Names with commas between them, each `isolated`."""
    return ", ".join(map(isolate, names))


def text_width(name: object) -> int:
    """The room that a name takes, in letters: those of Chinese, Japanese and Korean are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in str(name))


def is_long(name: object) -> bool:
    """Whether a name is cut where there is little room; its full text then stands in a title attribute."""
    return text_width(name) > SHORT
