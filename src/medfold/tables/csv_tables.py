"""Tables in CSV files: written atomically, read with the types that they were written with."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from medfold.earlier_versions import current_by_former
from medfold.errors import UserError
from medfold.system import files

if TYPE_CHECKING:
    import pandas as pd

FLOAT_FORMAT = "%.9g"  # enough digits for any float32
CHUNK_CELLS = 2_000_000  # that pandas formats at once; by default 100,000, which is slow for thousands of columns
TEXT_COLUMNS = ("id", "part", "image", "file", "pixel_hash", "usage")  # text, even if all values look like numbers


def write_csv(table: "pd.DataFrame", path: Path, private: bool = False) -> None:
    """Writes a table atomically; see `csv_text`, and `files.write_text` for `private`."""
    files.write_text(csv_text(table), path, private)


def csv_text(table: "pd.DataFrame") -> str:
    """Returns a table as medfold writes it: without its index, floats in `FLOAT_FORMAT`."""
    rows = max(1, CHUNK_CELLS // max(1, len(table.columns)))
    return table.to_csv(index=False, float_format=FLOAT_FORMAT, lineterminator="\n", chunksize=rows)


def read_csv(path: Path, former_names: dict[str, str] | None = None, **column_types: Any) -> "pd.DataFrame":
    """Reads a table that medfold wrote; an empty cell is NaN.

    Args:
        path: path of the table.
        former_names: table of `earlier_versions`: columns that had other names. Defaults to none.
        **column_types: types by column name. By default the columns in `TEXT_COLUMNS` are text.

    Raises:
        UserError: the file is damaged.
    """
    import pandas as pd

    types = {**dict.fromkeys(TEXT_COLUMNS, str), **column_types}
    types |= {former: types[name] for name, former in (former_names or {}).items() if name in types}
    try:
        table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        is_empty = isinstance(error, pd.errors.EmptyDataError)
        reason = "the file is empty" if is_empty else str(error).splitlines()[0]
        fix = "Restore it from a backup, or remove it to make it again"
        raise UserError(f"damaged or edited ({reason})", path, fix) from None
    return table.rename(columns=current_by_former(former_names or {}))
