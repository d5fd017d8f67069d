"""Sealed tables: CSV files with hashes of what they were made from and of what they hold.

Most can be made again, and are if either has changed; one that cannot is refused.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medfold.errors import UserError
from medfold.system.hashes import fingerprint, sha256
from medfold.tables.csv_tables import csv_text, read_csv, write_csv
from medfold.terminal.console import warn

if TYPE_CHECKING:
    import pandas as pd

ORIGIN_COLUMN = "origin"  # the last column of a sealed table


def write_sealed_csv(table: "pd.DataFrame", path: Path, inputs: str, companions: Sequence[Path] = ()) -> None:
    """Writes a table with a column `origin`: hashes of its inputs and of its contents.

    Args:
        table: the table; see `write_csv`.
        path: path of the file.
        inputs: fingerprint of all that the table is made from, without `-`.
        companions: files that were made with the table and belong to its contents. Defaults to none.
    """
    write_csv(table.assign(**{ORIGIN_COLUMN: _origin(table, inputs, companions)}), path)


def read_sealed_csv(
    path: Path,
    inputs: str,
    companions: Sequence[Path] = (),
    former_names: dict[str, str] | None = None,
    **column_types: Any,
) -> "pd.DataFrame | None":
    """Reads a table of `write_sealed_csv`; None if it must be made again.

    A table must be made again if there is none, if it was made from other inputs, or if the table or a companion is
    damaged. Damage is printed. A table of an earlier version has no hash of its contents: its origin is its inputs.

    Args:
        path: path of the table.
        inputs: fingerprint of all that the table would be made from now.
        companions: files that were made with the table. Defaults to none.
        former_names: table of `earlier_versions`: columns that had other names. Defaults to none.
        **column_types: types by column name; see `read_csv`.
    """
    import pandas as pd

    if not path.is_file():
        return None
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        origins = table.pop(ORIGIN_COLUMN).unique().tolist() or [""]
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, KeyError, ValueError):
        origins = []
    if origins and origins[0].partition("-")[0] != inputs:
        return None
    if not origins or origins not in ([inputs], [_origin(table, inputs, companions)]):
        names = [path.name, *(companion.name for companion in companions)]
        warn("damaged", f"{' or '.join(names)} has changed since it was written: made again")
        return None
    return read_csv(path, former_names, **column_types).drop(columns=ORIGIN_COLUMN)


def read_unchanged_csv(path: Path, inputs: str, fix: str) -> "pd.DataFrame":
    """Reads a table of `write_sealed_csv` that cannot be made again by itself.

    A table without a column `origin` was written by an earlier version and is not checked.

    Args:
        path: path of the table.
        inputs: as for `write_sealed_csv`.
        fix: what to do about a changed file, for the error message.

    Raises:
        UserError: the table has changed since it was written.
    """
    import pandas as pd

    table = read_csv(path)
    if ORIGIN_COLUMN not in table:
        return table
    text = pd.read_csv(path, dtype=str, keep_default_na=False)
    if text.pop(ORIGIN_COLUMN).unique().tolist() != [_origin(text, inputs, ())]:
        raise UserError("changed since it was written", path, fix)
    return table.drop(columns=ORIGIN_COLUMN)


def _origin(table: "pd.DataFrame", inputs: str, companions: Sequence[Path]) -> str:
    hashes = [sha256(companion) if companion.is_file() else None for companion in companions]
    return f"{inputs}-{fingerprint([csv_text(table), *hashes])}"
