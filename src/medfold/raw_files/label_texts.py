"""Labels in texts: lists of labels, and names of rows such as `<id>_<label>`."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.errors import UserError
from medfold.text import shorten_list


def split_label_list(text: str, separator: str) -> list[str]:
    """Splits a list of labels: `a|b c` -> 'a' and 'b c'; ignores brackets and quotes, as in `['a', 'b']`."""
    enclosed = re.fullmatch(r"\s*[\[({](.*)[\])}]\s*", text, re.S)
    parts = (enclosed[1] if enclosed else text).split(None if separator == " " else separator)
    return [name for part in parts if (name := part.strip(" '\""))]


def split_row_names(names: pd.Series, targets: list[str], path: Path) -> tuple[pd.Series, pd.Series]:
    """Splits names of rows into id and target: `ID_1_any` -> `ID_1` and `any`.

    Args:
        names: names of rows, `<id>_<target>`.
        targets: names of the labels.
        path: file of the table, for error messages.

    Returns:
        Ids and targets, in the order of `names`.

    Raises:
        UserError: a name that does not end with a target.
    """
    endings = "|".join(re.escape(target) for target in sorted(targets, key=len, reverse=True))
    parts = names.str.extract(rf"^(.+?)_({endings})$")
    wrong = parts[0].isna()
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        raise UserError(
            f"row {row + 2}: '{names.iloc[row]}' is not <id>_<label>",
            path,
            f"End it with one of the labels: {shorten_list(targets, 30)}",
        )
    return parts[0], parts[1]
