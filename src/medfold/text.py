"""Texts in messages: counts, shortened lists, and the hint after a misspelt word."""

import difflib
import re
from collections.abc import Iterable, Sequence

NEARLY_THE_SAME = 0.85  # similarity of a word and its misspelling
JOINERS = "\u200c\u200d"  # within words of Persian and Indic scripts; they do not print, but change nothing else


def printable(text: str) -> str:
    r"""Escapes control characters, so that a terminal shows them and does not obey them: ESC becomes `\x1b`.

    Names of files and classes, and texts of servers, may contain anything: codes that move the cursor or clear the
    screen, the reversal of the direction of writing, bytes that are not UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in JOINERS else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def shorten_list(items: Iterable[object], max_shown: int = 3, separator: str = ", ") -> str:
    """Formats the first items of a list: 'a, b, c and 7 more'."""
    items = [str(item) for item in items]
    rest = len(items) - max_shown
    return separator.join(items[:max_shown]) + (f" and {rest:,} more" if rest > 0 else "")


def shorten_text(text: str, max_length: int = 80) -> str:
    """Cuts a text that is too long for a message: 'abcdefg...'."""
    return text if len(text) <= max_length else f"{text[: max_length - 3]}..."


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """Formats a number and what is counted: '1 image', '12,000 images'.

    Args:
        number: the number of items.
        noun: what is counted, in the singular.
        plural: what is counted, in the plural. Defaults to the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def folds_as_text(numbers: Sequence[int], max_shown: int = 10) -> str:
    """Returns numbers of folds as text: 'fold 1', 'folds 0, 2'.

    Args:
        numbers: numbers of one fold or more.
        max_shown: how many are shown at most. Defaults to 10.
    """
    return f"{'fold' if len(numbers) == 1 else 'folds'} {shorten_list(numbers, max_shown)}"


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6, prefix: str = "") -> str:
    """Returns the hint ' (did you mean ...?)' for a misspelt word, or '' if no known word is close to it.

    In this order: the word with other capitals, spaces or underscores ('efficientnet_b0': 'EfficientNetB0'), the
    shortest word that begins with it ('acc': 'accuracy'), one that is nearly the same ('fundsu': 'fundus'), one that is
    a part of it or that it is a part of ('image_id': 'id'), the most similar one.

    Args:
        word: the misspelt word.
        known: the words that are possible.
        cutoff: least similarity of the two words, from 0 to 1. Defaults to 0.6.
        prefix: what the hint writes before the known word, such as the section of a key. Defaults to nothing.
    """
    known_by_letters = {_letters(item): item for item in reversed(list(known))}
    letters = _letters(word)
    longer = sorted((item for item in known_by_letters if len(letters) > 1 and item.startswith(letters)), key=len)
    close = (
        longer
        or difflib.get_close_matches(letters, known_by_letters, n=1, cutoff=max(cutoff, NEARLY_THE_SAME))
        or [other for other, item in known_by_letters.items() if _is_part(word, item) or _is_part(item, word)]
        or difflib.get_close_matches(letters, known_by_letters, n=1, cutoff=cutoff)
    )
    return f" (did you mean '{prefix}{known_by_letters[close[0]]}'?)" if close else ""


def _is_part(word: str, longer: str) -> bool:
    """Returns True if a word is one of the words of a longer one: 'id' of 'image_id'."""
    words, longer_words = (re.sub(r"[\W_]+", "_", text.lower()).strip("_") for text in (word, longer))
    return f"_{words}_" in f"_{longer_words}_"


def _letters(word: str) -> str:
    """Returns the letters and digits of a word, in lower case."""
    return re.sub(r"[\W_]+", "", word).lower()
