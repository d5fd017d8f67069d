"""Tables of the raw data, in any common format and encoding, read as text."""

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.errors import CHECK_COMPLETE, CHECK_PATH, REPLACE, MissingFileError, SettingError, UserError
from medfold.system.limits import is_bomb, max_unpacked_bytes, zip_contents_bytes
from medfold.terminal.command_text import install_command
from medfold.terminal.console import warn
from medfold.text import count_of, did_you_mean, shorten_list

# Extensions of files that may be tables, in lower case.
TABLE_EXTENSIONS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".xlsx", ".parquet")
PACKAGES = {".xlsx": "openpyxl", ".parquet": "pyarrow"}  # the package that pandas needs for each format
SEPARATORS = ",;\t|"
MAX_COLUMNS = 10_000
POINTER_BYTES = 8  # each cell of a table takes this much memory at least
MAX_LISTED_COLUMNS = 30  # in an error message
ID_KEYS = ("labels.id", "submission.id")  # keys of columns in which no cell may be empty
SAME_NAME = 0.8  # similarity of file names from which one is probably the other, misspelt


def read_table(path: Path, needed: Mapping[str, str], key: str | None = None) -> pd.DataFrame:
    """Reads a table with all columns as text, empty cells as ''.

    Detects the separator: comma, semicolon, tab or |, or the one in Excel's line `sep=;`. Detects the encoding: UTF-8,
    UTF-16 with a byte order mark, otherwise Windows-1252, with a warning. Strips spaces around column names.
    Decompresses files that end with .gz. Reads the first sheet of an Excel workbook. Excel and Parquet need an extra
    package.

    Args:
        path: path of the table, for reading and for error messages.
        needed: columns that the table must have, and the key of competition.yaml that names each.
        key: the key of competition.yaml that names the table. Defaults to none.

    Raises:
        UserError: no such file, not a table, or a needed column that is missing, see `check_column`.
    """
    try:
        needs_package = path.suffix.lower() in PACKAGES
        table = _read_with_package(path) if needs_package else _parse_text(_decode_text(path), path)
    except FileNotFoundError:
        raise MissingFileError(path, CHECK_COMPLETE, key, _similar_file(path) if key else "") from None
    except (OSError, EOFError, zlib.error, pd.errors.EmptyDataError, pd.errors.ParserError, csv.Error) as error:
        raise _unreadable_table(path, error) from None
    for column, column_key in needed.items():
        check_column(column, column_key, table, path.name)
        if column_key in ID_KEYS:
            _check_no_cell_is_empty(table[column], column_key, path.name)
    return table


def _unreadable_table(path: Path, error: Exception) -> UserError:
    """Returns the error for a table that cannot be read, by what Python or pandas raised."""
    if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
        return UserError(f"damaged ({error})", path, REPLACE)
    if isinstance(error, OSError):
        return UserError(f"cannot be read ({error.strerror})", path, CHECK_PATH)
    if isinstance(error, pd.errors.EmptyDataError):
        return UserError("not a readable table (it is empty)", path, REPLACE)
    if fields := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error)):
        what = f"line {fields[2]} has {fields[3]} columns, those before it {fields[1]}"
        return UserError(what, path, "Put quotes around a cell that contains the separator")
    if opened := re.search(r"EOF inside string starting at row (\d+)", str(error)):
        what = f"row {int(opened[1]) + 1}: a quote is opened and never closed"
        return UserError(what, path, "Close the quote, or remove it")
    return UserError(f"not a readable table ({' '.join(str(error).split())})", path, "Save it as CSV in UTF-8")


def _check_no_cell_is_empty(column: pd.Series, key: str, name: str) -> None:
    """Raises SettingError if a cell of a column with ids is empty."""
    empty = (column.str.strip() == "").to_numpy()
    if empty.any():
        more = f", and {count_of(empty.sum() - 1, 'other row')}" if empty.sum() > 1 else ""
        what = f"{name}: row {int(np.argmax(empty)) + 2}{more}: '{column.name}' is empty"
        raise SettingError(what, key, "Fill it in, or remove the row")


def _similar_file(path: Path) -> str:
    """Returns a hint for a table that is missing: in a folder below, another extension, misspelt, or what is there."""
    deeper = next((file for file in path.parent.rglob(path.name) if file.is_file()), None)
    if deeper:
        folder = deeper.parent.relative_to(path.parent).as_posix()
        return f", but there is '{folder}/{path.name}' (images.root: {folder}?)"
    names = [file.name for file in path.parent.glob("*") if file.is_file()]
    same_stem = [name for name in names if name.partition(".")[0] == path.name.partition(".")[0]]
    if hint := did_you_mean(path.name, names, SAME_NAME) or (f" (did you mean '{same_stem[0]}'?)" if same_stem else ""):
        return hint
    tables = sorted(name for name in names if name.lower().endswith(TABLE_EXTENSIONS))
    return f" (tables there: {shorten_list(tables, 5)})" if tables else ""


def check_column(column: str, key: str, table: pd.DataFrame, name: str) -> None:
    """Checks that a table has a column that competition.yaml names.

    Args:
        column: name of the column.
        key: the key that names the column.
        table: the table whose columns are searched.
        name: name of the table's file, for the error message.

    Raises:
        SettingError: there is no such column; the most similar name is suggested.
    """
    if column not in table:
        columns = [str(known) for known in table.columns]
        what = f"{name} has no column '{column}'{did_you_mean(column, columns)}"
        raise SettingError(what, key, f"Use one of its columns: {shorten_list(columns, MAX_LISTED_COLUMNS)}")


def _read_with_package(path: Path) -> pd.DataFrame:
    """Reads an Excel workbook or a Parquet file, as text."""
    package = PACKAGES[path.suffix.lower()]
    if not path.is_file():
        raise FileNotFoundError
    try:
        import_module(package)
        if package == "openpyxl":
            _check_workbook_size(path)
            table = pd.read_excel(path, dtype=str, keep_default_na=False, engine=package)
        else:
            _check_parquet_size(path)
            table = pd.read_parquet(path, engine=package)
    except ImportError:
        fix = f"Run: {install_command(package)}, or save the table as CSV"
        raise UserError(f"reading the table needs the package {package}", path, fix) from None
    except UserError:
        raise
    except Exception as error:  # both packages raise many kinds of errors: of zip, of XML and their own
        raise UserError(
            f"not a readable table ({type(error).__name__})", path, f"{REPLACE}, or correct the extension"
        ) from None
    try:
        table = table.astype("string").fillna("").astype(object)
    except Exception:  # pandas and pyarrow raise many kinds
        raise UserError("not a readable table (a column of bytes that are not text)", path, REPLACE) from None
    return _clean_column_names(table.reset_index(drop=True), path)


def _check_workbook_size(path: Path) -> None:
    """Raises UserError for an Excel workbook that unpacks to far more than its size."""
    try:
        zip_contents_bytes(path)
    except ValueError:
        raise _decompression_bomb(path) from None


def _check_parquet_size(path: Path) -> None:
    """Raises UserError for a Parquet file that declares far more cells than its size."""
    from pyarrow import parquet  # optional package

    metadata = parquet.read_metadata(path)
    if is_bomb(path.stat().st_size, POINTER_BYTES * metadata.num_rows * metadata.num_columns):
        raise _decompression_bomb(path)


def _decompression_bomb(path: Path) -> UserError:
    return UserError("unpacks to far more than a table of its size", path, REPLACE)


def _decompressed(path: Path) -> bytes:
    """Returns the contents of a .gz file, read within limits."""
    limit = max_unpacked_bytes(path.stat().st_size)
    with gzip.open(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _decompression_bomb(path)
    return content


def _decode_text(path: Path) -> str:
    content = _decompressed(path) if path.suffix.lower() == ".gz" else path.read_bytes()
    encodings = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        if encoding == "cp1252":
            _warn_of_guessed_encoding(path)
        return text
    raise UserError("not a text file: neither UTF-8, UTF-16 nor Windows-1252", path, "Save it as CSV in UTF-8")


@cache  # warns once: several steps of a command read the same table
def _warn_of_guessed_encoding(path: Path) -> None:
    warn("tables", f"{path.name} is not UTF-8: read as Windows-1252 (Western European)")


@cache
def _warn_of_empty_rows(path: Path, num_rows: int) -> None:
    warn("tables", f"{path.name}: {count_of(num_rows, 'empty row')} at the end left out")


def _parse_text(text: str, path: Path) -> pd.DataFrame:
    if re.match(r"\s*<(!doctype|html)", text, re.I):
        fix = "Download the file itself; the server may ask you to log in"
        raise UserError("it is a web page, not a table", path, fix)
    head = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    if declared := re.fullmatch(r"sep=(.)", head, re.I):  # Excel writes this line above the header
        separator = declared[1]
        text = text.lstrip("\r\n")[len(head) :]
    else:
        # A column name may contain another separator; the row below the header then decides.
        first, second = (re.sub(r'"[^"]*"', "", line) for line in [*text.strip().split("\n", 2), "", ""][:2])
        separator = max(SEPARATORS, key=lambda sign: (min(first.count(sign), second.count(sign)), first.count(sign)))
    read_arguments = {"sep": separator, "dtype": str, "keep_default_na": False, "index_col": False}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(io.StringIO(text), **read_arguments)
        except (pd.errors.ParserWarning, pd.errors.ParserError):  # some rows may have more columns than the header
            width = max((len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)), default=0)
            if width > MAX_COLUMNS:
                raise
            rows = pd.read_csv(io.StringIO(text), header=None, names=range(width), **read_arguments)
            num_columns = len(next(csv.reader(io.StringIO(text, newline=""), delimiter=separator)))
            table = _drop_surplus_columns(rows, num_columns, head, path)
        else:  # pandas numbers repeated names, so the header is read again without that
            table.columns = pd.read_csv(io.StringIO(text), header=None, nrows=1, **read_arguments).iloc[0]
    return _clean_column_names(table.rename_axis(columns=None), path)


def _clean_column_names(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    table = table.rename(columns=lambda name: "" if name is None or name != name else str(name).strip())
    filled = (table != "").any(axis=1).to_numpy()
    if len(table) and not filled[-1] and table.shape[1] > 1:  # spreadsheets may write empty rows after the last one
        last = int(np.flatnonzero(filled).max(initial=-1))
        _warn_of_empty_rows(path, len(table) - last - 1)
        table = table.iloc[: last + 1]
    # Spreadsheets may write empty columns after the last one.
    table = table.loc[:, [bool(name) or bool((values != "").any()) for name, values in table.items()]]
    if not table.columns.is_unique:
        repeated = table.columns[table.columns.duplicated(keep=False)][0]
        raise UserError(f"two columns are called '{repeated}'", path, "Rename one of them")
    return table


def _drop_surplus_columns(rows: pd.DataFrame, num_columns: int, head: str, path: Path) -> pd.DataFrame:
    """Drops the empty columns that result from surplus separators at the ends of rows.

    Args:
        rows: all rows; the first one is the header.
        num_columns: number of columns in the header.
        head: header as text, for error messages.
        path: path of the file, for error messages.
    """
    table = rows.iloc[1:, :num_columns].reset_index(drop=True).set_axis(rows.iloc[0, :num_columns], axis=1)
    surplus = (rows.iloc[1:, num_columns:].fillna("") != "").any(axis=1).to_numpy()
    if surplus.any():
        fix = "Name every column in the header, and put texts that hold the separator in quotes"
        what = f"row {int(np.argmax(surplus)) + 2} has more columns than the header, '{head[:80]}'"
        raise UserError(what, path, fix)
    return table.fillna("")
