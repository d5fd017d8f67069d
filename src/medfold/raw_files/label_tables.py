"""Label tables of the raw data: reading as text, checks, merging of repeated rows."""

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.errors import CHECK_PATH, SettingError, UserError, count_of, did_you_mean, shorten_list
from medfold.project_root import display_path
from medfold.terminal.console import warn

# Extensions of files that may be tables, in lower case.
TABLE_EXTENSIONS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".xlsx", ".parquet")
READERS = {".xlsx": "openpyxl", ".parquet": "pyarrow"}  # the package that pandas needs for each format
SEPARATORS = ",;\t|"
MAX_COLUMNS = 10_000
MAX_LISTED_COLUMNS = 30  # in an error message
ID_KEYS = ("labels.id", "submission.id")  # keys of columns in which no cell may be empty
SAME_NAME = 0.8  # similarity of file names from which one is probably the other, misspelt
INTEGER_AS_FLOAT = r"^(-?\d+)\.0$"  # pandas writes integers so if their column has gaps
MARKS = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}  # marks of absent and present labels in tables


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
        needs_package = path.suffix.lower() in READERS
        table = _read_with_package(path) if needs_package else _parse_text(_decode_text(path), path)
    except FileNotFoundError:
        fix = "Check that the download is complete"
        if key is None:
            raise UserError("no such file", path, fix) from None
        raise SettingError(f"{display_path(path)}: no such file{_similar_file(path)}", key, fix) from None
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise UserError(f"damaged ({error})", path, "Download it again") from None
        raise UserError(f"cannot be read ({error.strerror})", path, CHECK_PATH) from None
    except pd.errors.EmptyDataError:
        raise UserError("not a readable table (it is empty)", path, "Restore it, or download it again") from None
    except pd.errors.ParserError as error:
        if opened := re.search(r"EOF inside string starting at row (\d+)", str(error)):
            fix = "Close the quote, or remove it"
            raise UserError(f"row {int(opened[1]) + 1}: a quote is opened and never closed", path, fix) from None
        raise UserError(
            f"not a readable table ({' '.join(str(error).split())})", path, "Save it as CSV in UTF-8"
        ) from None
    except (EOFError, zlib.error) as error:
        raise UserError(f"damaged ({error})", path, "Download it again") from None
    for column, key in needed.items():
        check_column(column, key, table, path.name)
        if key in ID_KEYS and (empty := (table[column].str.strip() == "").to_numpy()).any():
            more = f", and {count_of(empty.sum() - 1, 'other row')}" if empty.sum() > 1 else ""
            what = f"{path.name}: row {int(np.argmax(empty)) + 2}{more}: '{column}' is empty"
            raise SettingError(what, key, "Fill it in, or remove the row")
    return table


def _similar_file(path: Path) -> str:
    """Returns a hint for a table that is missing: in a folder below, with another extension, or misspelt."""
    deeper = next((file for file in path.parent.rglob(path.name) if file.is_file()), None)
    if deeper:
        folder = deeper.parent.relative_to(path.parent).as_posix()
        return f", but there is '{folder}/{path.name}' (images.root: {folder}?)"
    names = [file.name for file in path.parent.glob("*") if file.is_file()]
    same_stem = [name for name in names if name.partition(".")[0] == path.name.partition(".")[0]]
    return did_you_mean(path.name, names, SAME_NAME) or (f" (did you mean '{same_stem[0]}'?)" if same_stem else "")


def check_column(column: str, key: str, table: pd.DataFrame, name: str) -> None:
    """Checks that a table has a column that competition.yaml names.

    Args:
        column: name of the column.
        key: the key that names the column.
        table: the table.
        name: name of the table's file, for the error message.

    Raises:
        UserError: there is no such column; the most similar name is suggested.
    """
    if column not in table:
        columns = [str(known) for known in table.columns]
        what = f"{name} has no column '{column}'{did_you_mean(column, columns)}"
        raise SettingError(what, key, f"Columns: {shorten_list(columns, MAX_LISTED_COLUMNS)}")


def normalise_texts(values: pd.Series) -> pd.Series:
    """Strips spaces around texts, and writes 1.0 as 1."""
    return values.str.strip().str.replace(INTEGER_AS_FLOAT, r"\1", regex=True)


def parse_marks(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Parses columns of marks to 0 and 1, ignoring case and spaces; NaN for any other cell."""
    return table[columns].apply(lambda column: column.str.strip().str.lower().map(MARKS))


def map_labels(values: pd.DataFrame, competition: Competition) -> pd.DataFrame:
    """Translates values of label columns to classes by `labels.map`; None for values that it maps to null.

    Ignores spaces around a value, and reads 1.0 as 1. Values that are not in `labels.map` stay unchanged.

    Args:
        values: label columns as text.
        competition: facts with labels.map.
    """
    mapping = competition.labels.map
    if not mapping:
        return values

    def mapped(value: str) -> str | None:
        stripped = value.strip()
        key = stripped if stripped in mapping else re.sub(INTEGER_AS_FLOAT, r"\1", stripped)
        return mapping.get(key, value)

    return values.apply(lambda column: column.map({value: mapped(value) for value in column.unique()}))


def drop_rows(table: pd.DataFrame, dropped: pd.Series) -> pd.DataFrame:
    """Drops the rows that `labels.map` leaves out, with a warning. The index of the other rows is kept.

    Args:
        table: rows of a raw table.
        dropped: bool (n,), True for rows to drop.
    """
    if not dropped.any():
        return table
    warn(
        "labels", f"{dropped.sum():,} of {len(table):,} rows are left out because labels.map maps their labels to null"
    )
    return table[~dropped].copy()


def is_one_hot(marks: pd.DataFrame) -> pd.Series:
    """Returns which rows are one-hot (a single 1, the others 0), as bool (n,)."""
    return marks.notna().all(axis=1) & (marks.sum(axis=1) == 1)


def _read_with_package(path: Path) -> pd.DataFrame:
    """Reads an Excel workbook or a Parquet file, as text."""
    package = READERS[path.suffix.lower()]
    if not path.is_file():
        raise FileNotFoundError
    try:
        if package == "openpyxl":
            table = pd.read_excel(path, dtype=str, keep_default_na=False, engine=package)
        else:
            table = pd.read_parquet(path, engine=package)
    except ImportError:
        fix = f"Install it (.venv/bin/pip install {package}), or save the table as CSV"
        raise UserError(f"reading the table needs the package {package}", path, fix) from None
    except Exception as error:  # both packages raise many kinds of errors: of zip, of XML and their own
        raise UserError(
            f"not a readable table ({type(error).__name__})", path, "Download it again, or correct the extension"
        ) from None
    table = table.astype("string").fillna("").astype(object)
    return _clean_column_names(table.reset_index(drop=True), path)


def _decode_text(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix.lower() == ".gz":
        content = gzip.decompress(content)
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
            width = max((len(row) for row in csv.reader(io.StringIO(text), delimiter=separator)), default=0)
            if width > MAX_COLUMNS:
                raise
            rows = pd.read_csv(io.StringIO(text), header=None, names=range(width), **read_arguments)
            num_columns = len(next(csv.reader(io.StringIO(text), delimiter=separator)))
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
    if repeated := [name for name in table.columns if list(table.columns).count(name) > 1]:
        raise UserError(f"two columns are called '{repeated[0]}'", path, "Rename one of them")
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


def check_classes(table: pd.DataFrame, target: str, competition: Competition, path: Path) -> None:
    """Checks that a column holds known classes only, and writes them as competition.yaml does, in place.

    Ignores spaces around a value, and its case unless two classes differ by case only. Reads 1.0 as 1, since pandas
    writes integers as floats if their column has gaps.

    Args:
        table: text columns; the column `target` is changed.
        target: name of the target column.
        competition: facts with the names of the classes.
        path: file of the table, for the error message.

    Raises:
        UserError: an unknown value; the message names its row and column.
    """
    table[target] = match_class_spelling(table[target], competition.class_names)
    wrong = ~table[target].isin(competition.class_names)
    if wrong.any():
        row = table.index[int(np.argmax(wrong.to_numpy()))]
        value = table.at[row, target] or "nothing"
        expected = ", ".join(competition.class_names)
        fix = _fix_of_class(table[target], table.at[row, target].strip(), competition)
        raise UserError(f"row {row + 2}, column '{target}': found {value}, expected one of {expected}", path, fix)


def _fix_of_class(values: pd.Series, wrong: str, competition: Competition) -> str:
    """Returns what to do about a value that is no class: name the classes of the column, or map the value.

    Args:
        values: the label column.
        wrong: the value, without spaces around it.
        competition: facts with the names of the classes.
    """
    if not wrong:
        return 'Fill it in; or leave these images out: labels.map: {"": null}'
    found = sorted({value.strip() for value in values.unique()} - {""})
    names = competition.class_names
    classes = ""
    if competition.task == "binary" and len(found) == 2:
        classes = f"set classes: [{', '.join(found)}], the positive one last; or "
    elif competition.task in ("multiclass", "ordinal"):
        classes = "add it to classes; or "
    return f'Correct it; or {classes}map it: labels.map: {{"{wrong}": {names[0]}}}, or null to leave these images out'


def match_class_spelling(values: pd.Series, names: list[str]) -> pd.Series:
    """Writes values as the class names that they match up to case and spaces; warns if any value was changed.

    Values that match no class are only stripped of spaces.

    Args:
        values: cells of a label column, as text.
        names: the names of the classes.
    """
    by_lower_case = {name.lower(): name for name in names}
    if len(by_lower_case) < len(names):  # two classes differ by case only
        by_lower_case = {}

    def matched(value: str) -> str:
        stripped = value.strip()
        for text in (value, stripped, re.sub(INTEGER_AS_FLOAT, r"\1", stripped)):
            if text in names:
                return text
        return by_lower_case.get(stripped.lower(), stripped)

    replaced = {value: matched(value) for value in values.unique() if value not in names}
    known = {value: name for value, name in replaced.items() if name in names}
    reported = {value: name for value, name in known.items() if value.strip() != value}
    reported |= {value: name for value, name in known.items() if value.strip().lower() == name.lower()}
    if reported:
        count = int(values.isin(reported).sum())
        examples = shorten_list(reported)
        warn(
            "labels",
            f"{values.name}: {count_of(count, 'value is', 'values are')} read as a class in spite of other case or "
            f"spaces: {examples}",
        )
    return values.map(lambda value: replaced.get(value, value))


def merge_repeated_rows(table: pd.DataFrame, keys: list[str], targets: list[str], competition: Competition, path: Path):
    """Merges the rows of each key into one, by `labels.repeated`.

    `refuse` leaves the table unchanged (the caller reports repeated ids), `same` requires equal labels, `any`
    takes the highest class, `majority` the most frequent one, with ties the highest. Other columns are those of the
    first row.

    Args:
        table: text columns, its targets checked.
        keys: columns that identify what a label is for.
        targets: names of the label columns.
        competition: facts with labels.repeated and the names of the classes.
        path: file of the table, for the error message.

    Raises:
        UserError: rows with different labels under `same`.
    """
    policy = competition.labels.repeated
    names = competition.class_names
    repeated = table.duplicated(keys, keep=False)
    if policy == "refuse" or not repeated.any():
        return table
    rows = table[repeated]
    numbers = {name: number for number, name in enumerate(names)}
    codes = rows[targets].apply(lambda column: column.map(numbers)).astype(np.int64)
    grouped = codes.groupby([rows[key] for key in keys], sort=False)
    if policy == "same":
        differ = (grouped.min() != grouped.max()).any(axis=1)
        if differ.any():
            ids = [" ".join(key) if isinstance(key, tuple) else key for key in differ.index[differ]]
            fix = "Choose how to merge them: labels.repeated: any, or majority"
            raise UserError(
                f"{count_of(len(ids), 'id has', 'ids have')} rows with different labels: {shorten_list(ids)}", path, fix
            )
        merged = grouped.max()
    elif policy == "any":
        merged = grouped.max()
    else:
        merged = grouped.agg(lambda values: values.mode().max())
    result = table.drop_duplicates(keys).set_index(keys)
    merged = merged.apply(lambda column: column.map(dict(enumerate(names))))
    result.loc[merged.index, targets] = merged
    return result.reset_index()[table.columns]
