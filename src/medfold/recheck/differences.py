"""Differences that a recheck finds in files, which may be damaged."""

from collections.abc import Iterator
from zipfile import BadZipFile

from medfold.errors import UserError

# Errors that damaged files cause, as their contents are not checked beforehand.
DAMAGED_FILE_ERRORS = (KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError, BadZipFile)


def collect_differences(differences: Iterator[str]) -> list[str]:
    """Returns all differences; files that are damaged, so that they cannot be compared, count as one."""
    collected = []
    try:
        collected.extend(differences)
    except UserError as error:
        collected.append(str(UserError(error.what, error.where)))
    except DAMAGED_FILE_ERRORS as error:
        text = " ".join(str(error).split())[:80]
        collected.append(f"its files do not fit together ({type(error).__name__}: {text})")
    return collected
