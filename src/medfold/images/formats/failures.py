"""Reasons why an image cannot be read, as one line that contains no data of a patient."""

import os
import re
from pathlib import Path

from medfold.errors import REPLACE, UserError

MAX_REASON = 150  # characters
FIX = f"{REPLACE}, or remove it"


class ImageError(ValueError):
    """An image cannot be read. The message is shown to the user, so it must not contain data of a patient."""


def unreadable(what: str, error: Exception, path: Path) -> UserError:
    """Returns the error for a file that cannot be read.

    Args:
        what: image, headers or file.
        error: the exception of the decoder.
        path: path of the file.
    """
    return UserError(f"unreadable {what} ({_reason(error)})", path, FIX)


def _reason(error: Exception) -> str:
    """Returns a short line that says what went wrong, without quotes from the file: they may name a patient."""
    if isinstance(error, ImageError):
        text = str(error)
    elif isinstance(error, OSError) and error.errno:
        text = os.strerror(error.errno)
    elif isinstance(error, MemoryError):
        text = "not enough memory"
    else:
        first = (str(error).strip().splitlines() or [""])[0].partition(" - ")[0]
        unquoted = re.sub(r"(?<!\w)b?(['\"]).*?\1(?!\w)", "...", first)
        text = re.split(r"(?<!\w)['\"]", unquoted)[0] or type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:MAX_REASON]
