"""Path patterns like `train/{id}.png`: filled from table rows, and matched against paths."""

import re
import string

import pandas as pd

from medfold.errors import SettingError, UserError
from medfold.system.limits import interrupted_after
from medfold.text import shorten_list

PATTERN_SECONDS = 5  # to match one path, which takes microseconds
CHANNEL_FIELD = "channel"  # the field that is replaced by the names in images.channels


def pattern_fields(pattern: str) -> list[str]:
    """Returns the field names of a pattern, without repetitions."""
    return list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(pattern) if name))


def fill_pattern(pattern: str, table: pd.DataFrame, key: str) -> pd.Series:
    """Fills the columns of a table into a pattern, for each row.

    Args:
        pattern: path with the names of columns in braces, such as `{patient}/{id}.png`.
        table: rows to fill in, text columns.
        key: key of competition.yaml that holds the pattern, for error messages.

    Returns:
        Text, in the order of the rows.

    Raises:
        UserError: a column that the table does not have, or a pattern without columns for several rows.
    """
    if not pattern_fields(pattern) and len(table) > 1:
        raise SettingError(f"'{pattern}' has no field, so all rows would have the same image", key, "Add {id}")
    for column in pattern_fields(pattern):
        if column not in table:
            fix = f"Use one of its columns: {shorten_list([str(name) for name in table.columns], 12)}"
            raise SettingError(
                f"the pattern '{pattern}' has the field '{column}', but the table has no such column", key, fix
            )
    parts = [(text, field, spec) for text, field, spec, _ in string.Formatter().parse(pattern)]
    filled = [
        "".join(text + (_format_value(row[field], spec) if field else "") for text, field, spec in parts)
        for row in table[pattern_fields(pattern)].to_dict("records")
    ]
    return pd.Series(filled, index=table.index, dtype=str)


def _format_value(value: str, spec: str | None) -> str:
    """Formats a value by the spec of its field: `{id:0>5}` pads with zeros, as does `{id:05d}` for whole numbers."""
    number = re.fullmatch(r"\s*(\d+)(\.0)?\s*", value) if spec and spec.endswith("d") else None
    try:
        return format(int(number[1]) if number else value, spec or "")
    except ValueError:
        return value  # not a number: the file will be reported as missing


class PathPattern:
    """Matches paths against a pattern: `{label}/{id}.png` matches `no/x.png` and returns label and id.

    A field matches within one folder or file name. A field that occurs twice must have the same value in both places.
    """

    def __init__(self, pattern: str):
        self.fields = []
        self._pattern = pattern
        regex = ""
        for text, field, _, _ in string.Formatter().parse(pattern):
            regex += re.escape(text)
            if field in self.fields:
                regex += f"(?P=f{self.fields.index(field)})"
            elif field:
                regex += f"(?P<f{len(self.fields)}>[^/]+)"  # by number: not every field name is a valid group name
                self.fields.append(field)
        self._regex = re.compile(regex)

    def match(self, path: str) -> dict[str, str] | None:
        """Returns the values of the fields in a path; None if the path does not match.

        Raises:
            UserError: many fields, which could be told apart in too many ways.
        """
        try:
            with interrupted_after(PATTERN_SECONDS):
                match = self._regex.fullmatch(path)
        except TimeoutError:
            what = f"takes too long to match '{path}'"
            raise UserError(what, f"the pattern '{self._pattern}'", "Use fewer fields, with / between them") from None
        return dict(zip(self.fields, match.groups(), strict=True)) if match else None
