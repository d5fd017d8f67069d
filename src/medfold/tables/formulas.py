"""Detection of texts that a spreadsheet would run as formulas."""

import re

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")  # first letters of formulas
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.I)


def is_formula(text: str) -> bool:
    """Returns True for a text that a spreadsheet would run when it opens a CSV file; False for numbers such as -1.

    Source:
        OWASP, CSV injection.
    """
    return text[:1] in FORMULA_SIGNS and not NUMBER.fullmatch(text)
