"""Files of tables of predictions: CSV, or .npz for more than 100 columns of numbers.

In an .npz file a number takes 4 bytes, in place of about 15, and none is converted to text and back.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from medfold.errors import UserError
from medfold.system import files, json_files
from medfold.system.array_files import DAMAGED_ARRAY_ERRORS
from medfold.system.limits import zip_contents_bytes
from medfold.tables import read_csv, write_csv

MAX_CSV_COLUMNS = 100
COLUMNS, NUMBERS = "columns", "numbers"  # arrays of the file: names of the columns of numbers, and the numbers


def has_many_columns(num_columns: int) -> bool:
    """Returns True if a table with so many columns of numbers is an .npz file."""
    return num_columns > MAX_CSV_COLUMNS


def write_prediction_table(table: pd.DataFrame, path: Path) -> Path:
    """Writes a table atomically as .csv or .npz, and removes a table of the same name in the other format.

    Equal tables give equal bytes. An .npz file holds an array for each column of text or of whole numbers, `columns`
    with the names of the others, and `numbers` with their values: float32 where that loses nothing, else float64.

    Args:
        table: the table; its columns of floats are the last ones.
        path: path of the file; its ending is replaced.

    Returns:
        The path of the file.
    """
    numbers = table.select_dtypes("floating")
    csv, npz = path.with_suffix(".csv"), path.with_suffix(".npz")
    if not has_many_columns(numbers.shape[1]):
        write_csv(table, csv)
        npz.unlink(missing_ok=True)
        return csv
    values = numbers.to_numpy()
    shortened = values.astype(np.float32)
    others = {
        name: column.to_numpy() if column.dtype.kind == "i" else column.to_numpy(str)
        for name, column in table.drop(columns=numbers.columns).items()
    }
    arrays = {COLUMNS: numbers.columns.to_numpy(str), NUMBERS: shortened if (shortened == values).all() else values}
    with files.atomic_write(npz) as temporary, temporary.open("wb") as file:
        np.savez(file, **others, **arrays)
    csv.unlink(missing_ok=True)
    return npz


def read_prediction_table(path: Path) -> pd.DataFrame:
    """Reads a table of `write_prediction_table`; its numbers are float64.

    Raises:
        UserError: the file is damaged.
    """
    if path.suffix != ".npz":
        return read_csv(path)
    try:
        zip_contents_bytes(path)
        with np.load(path) as content:
            table = pd.DataFrame(content[NUMBERS].astype(np.float64), columns=content[COLUMNS].tolist())
            others = [name for name in content.files if name not in (COLUMNS, NUMBERS)]
            for position, name in enumerate(others):
                values = content[name]
                table.insert(position, name, values if values.dtype.kind == "i" else pd.Series(values, dtype=str))
    except (*DAMAGED_ARRAY_ERRORS, ValueError, LookupError):
        raise UserError("damaged, or not what medfold wrote", path, json_files.RESTORE_OR_REMOVE) from None
    return table
