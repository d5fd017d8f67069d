"""Names that users chose, in any script and of any length, shown within English text."""

import unicodedata

MAX_SHORT_WIDTH = 44  # letters up to which a name is shown in full on every screen
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
RIGHT_TO_LEFT = {"R", "AL", "AN", "RLE", "RLO", "RLI"}


def isolate(name: object) -> str:
    """Isolates a name in a sentence, so that right-to-left letters do not change the order of the words around it.

    Without it, "true <Arabic name>, predicted 0.9" is shown with the number on the wrong side of the name.

    Args:
        name: any object, shown as `str` of it.

    Returns:
        The name between two invisible Unicode characters if it has right-to-left letters; else the unchanged name.
    """
    text = str(name)
    if any(unicodedata.bidirectional(character) in RIGHT_TO_LEFT for character in text):
        return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"
    return text


def join_names(names: list[str]) -> str:
    """Joins isolated names with commas."""
    return ", ".join(map(isolate, names))


def text_width(name: object) -> int:
    """Returns the width of a name in letters; Chinese, Japanese and Korean ones count twice."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in str(name))


def is_long(name: object) -> bool:
    """Returns True for a name that is cut where space is short; its full text is then in a title attribute."""
    return text_width(name) > MAX_SHORT_WIDTH
