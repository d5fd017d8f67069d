"""Tables of raw labels: read as text, checked, several rows of one id joined."""

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Competition
from medfold.console import warn
from medfold.errors import UserError, did_you_mean, shorten_list

# Of files that may be tables, in lower case.
TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".xlsx", ".parquet")
READERS = {".xlsx": "openpyxl", ".parquet": "pyarrow"}  # packages that pandas needs for them
SEPARATORS = ",;\t|"
WIDEST = 10_000  # columns of a table
WHOLE = r"^(-?\d+)\.0$"  # how tables that held gaps once write integers
MARKS = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}  # how tables mark that something is there or not


def read_table(path: Path, needed: Iterable[str]) -> pd.DataFrame:
    """A table of text with all columns as text, nothing as ''.

    Separator and encoding are found out: comma, semicolon, tab or |, or what Excel's line `sep=;` says; UTF-8, UTF-16
    with its mark, else Windows-1252, which is told. Blanks around the names of columns are taken away. A file that ends
    with .gz is unpacked. Of Excel's workbooks the first sheet is read; they and Parquet need a package more.

    Raises:
        UserError: no such file, no table, or a needed column that it does not have (nearest named).
    """
    try:
        special = path.suffix.lower() in READERS
        table = _of_package(path) if special else _parsed(_text_of(path), path)
    except FileNotFoundError:
        raise UserError("no such file", path, "Is the download complete?") from None
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise UserError(f"damaged ({error})", path, "Get it again") from None
        raise UserError(f"cannot be read ({error.strerror})", path) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(f"not a readable table ({' '.join(str(error).split())})", path) from None
    except (EOFError, zlib.error) as error:
        raise UserError(f"damaged ({error})", path, "Get it again") from None
    for column in needed:
        if column not in table:
            raise UserError(
                f"no column '{column}'{did_you_mean(column, table.columns)}", path, f"It has {', '.join(table.columns)}"
            )
    return table


def normalise_texts(values: pd.Series) -> pd.Series:
    """Texts without blanks around them, and 1.0 as 1."""
    return values.str.strip().str.replace(WHOLE, r"\1", regex=True)


def parse_marks(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Columns of marks as 0 and 1, whatever their case and blanks; nan where a cell holds something else."""
    return table[columns].apply(lambda column: column.str.strip().str.lower().map(MARKS))


def map_labels(values: pd.DataFrame, competition: Competition) -> pd.DataFrame:
    """Values of label columns as the classes that `labels.map` says they mean, None for those that mean nothing.

    Blanks around a value do not count, and 1.0 is 1. Values that are not in `labels.map` stay as they are.
    """
    known = competition.labels.map
    if not known:
        return values

    def meant(value: str) -> str | None:
        bare = value.strip()
        written = bare if bare in known else re.sub(WHOLE, r"\1", bare)
        return known.get(written, value)

    return values.apply(lambda column: column.map({value: meant(value) for value in column.unique()}))


def drop_rows(table: pd.DataFrame, left_out: pd.Series) -> pd.DataFrame:
    """Drops the rows that `labels.map` leaves out, and tells how many. Rows keep their index."""
    if not left_out.any():
        return table
    warn("labels", f"{left_out.sum():,} of {len(table):,} rows are left out, as labels.map says of their labels")
    return table[~left_out].copy()


def is_one_hot(marked: pd.DataFrame) -> pd.Series:
    """Which rows are one-hot (a single 1, the others 0), as bool (n,)."""
    return marked.notna().all(axis=1) & (marked.sum(axis=1) == 1)


def _of_package(path: Path) -> pd.DataFrame:
    """A workbook or a Parquet file, as text."""
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
        raise UserError(f"to read it the package {package} is needed", path, fix) from None
    except Exception as error:  # each of the two raises many kinds, of zip, XML and its own
        raise UserError(f"damaged, or not what its name says ({type(error).__name__})", path, "Get it again") from None
    table = table.astype("string").fillna("").astype(object)
    return _with_plain_names(table.reset_index(drop=True), path)


def _text_of(path: Path) -> str:
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
            _tell_of_guessed_encoding(path)
        return text
    raise UserError("not a text file: neither UTF-8, UTF-16 nor Windows-1252", path, "Save it as CSV in UTF-8")


@cache  # a table is read by several steps of a command
def _tell_of_guessed_encoding(path: Path) -> None:
    warn("tables", f"{path.name} is not UTF-8: read as Windows-1252 (Western European)")


def _parsed(text: str, path: Path) -> pd.DataFrame:
    head = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    if told := re.fullmatch(r"sep=(.)", head, re.I):  # Excel writes it above the header
        separator, text = told[1], text.lstrip("\r\n")[len(head) :]
    else:
        # A header may hold another separator in a name; then the row below it tells.
        first, second = (re.sub(r'"[^"]*"', "", line) for line in [*text.strip().split("\n", 2), "", ""][:2])
        separator = max(SEPARATORS, key=lambda each: (min(first.count(each), second.count(each)), first.count(each)))
    options = {"sep": separator, "dtype": str, "keep_default_na": False, "index_col": False}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(io.StringIO(text), **options)
        except (pd.errors.ParserWarning, pd.errors.ParserError):  # perhaps there are rows with more columns
            width = max((len(row) for row in csv.reader(io.StringIO(text), delimiter=separator)), default=0)
            if width > WIDEST:
                raise
            rows = pd.read_csv(io.StringIO(text), header=None, names=range(width), **options)
            known = len(next(csv.reader(io.StringIO(text), delimiter=separator)))
            table = _without_surplus(rows, known, head, path)
        else:  # pandas gives equal names numbers
            table.columns = pd.read_csv(io.StringIO(text), header=None, nrows=1, **options).iloc[0]
    return _with_plain_names(table.rename_axis(columns=None), path)


def _with_plain_names(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    table = table.rename(columns=lambda name: "" if name is None or name != name else str(name).strip())
    # Spreadsheets write empty columns behind the last one.
    table = table.loc[:, [bool(name) or bool((values != "").any()) for name, values in table.items()]]
    if twice := [name for name in table.columns if list(table.columns).count(name) > 1]:
        raise UserError(f"two columns are called '{twice[0]}'", path, "Rename one of them")
    return table


def _without_surplus(rows: pd.DataFrame, known: int, head: str, path: Path) -> pd.DataFrame:
    """Drops the empty columns that surplus separators at the ends of rows make.

    Args:
        rows: with the header as the first.
        known: how many columns the header has.
    """
    table = rows.iloc[1:, :known].reset_index(drop=True).set_axis(rows.iloc[0, :known], axis=1)
    surplus = (rows.iloc[1:, known:].fillna("") != "").any(axis=1).to_numpy()
    if surplus.any():
        fix = "Name every column in the header, and put texts that hold the separator in quotes"
        what = f"row {int(np.argmax(surplus)) + 2} has more columns than the header, '{head[:80]}'"
        raise UserError(what, path, fix)
    return table.fillna("")


def check_classes(table: pd.DataFrame, target: str, competition: Competition, path: Path) -> None:
    """Sees that a column holds known classes only, and writes them as competition.yaml does.

    Blanks around a value do not count, nor does its case where no two classes differ by it, and 1.0 is 1: tables that
    held gaps once write integers as floats.

    Raises:
        UserError: another value; row and column are named.
    """
    table[target] = match_class_spelling(table[target], competition.class_names)
    wrong = ~table[target].isin(competition.class_names)
    if wrong.any():
        row = table.index[int(np.argmax(wrong.to_numpy()))]
        value = table.at[row, target] or "nothing"
        expected = ", ".join(competition.class_names)
        written = table.at[row, target].strip()
        meaning = f'labels.map: {{"{written}": {competition.class_names[0]}}}, null to leave such images out'
        fix = f"Correct it, add the class, or say what it means: {meaning}"
        raise UserError(f"row {row + 2}, column '{target}': found {value}, expected one of {expected}", path, fix)


def match_class_spelling(values: pd.Series, names: list[str]) -> pd.Series:
    """The values that mean a class as the name of that class; others as they are. What was changed is told."""
    known = {name.lower(): name for name in names}
    if len(known) < len(names):
        known = {}

    def meant(value: str) -> str:
        bare = value.strip()
        for text in (value, bare, re.sub(WHOLE, r"\1", bare)):
            if text in names:
                return text
        return known.get(bare.lower(), bare)

    unlike = {value: meant(value) for value in values.unique() if value not in names}
    told = {value: name for value, name in unlike.items() if name in names and value.strip() != value}
    told |= {value: name for value, name in unlike.items() if name in names and value.strip().lower() == name.lower()}
    if told:
        count = int(values.isin(told).sum())
        warn(
            "labels",
            f"{values.name}: {count:,} values are read as classes that differ by case or blanks: {shorten_list(told)}",
        )
    return values.map(lambda value: unlike.get(value, value))


def merge_repeated_rows(table: pd.DataFrame, keys: list[str], targets: list[str], competition: Competition, path: Path):
    """One row for each key, by `labels.repeated`: `same` takes rows that agree for one, `any` takes the highest class,
    `majority` the most frequent one, of several the highest. Other columns are those of the first row.

    Args:
        table: text, its targets checked.
        keys: the columns that name what a label is for.

    Raises:
        UserError: rows that do not agree, though they should.
    """
    how, names = competition.labels.repeated, competition.class_names
    twice = table.duplicated(keys, keep=False)
    if how == "refuse" or not twice.any():
        return table
    several, numbers = table[twice], {name: number for number, name in enumerate(names)}
    codes = several[targets].apply(lambda column: column.map(numbers)).astype(np.int64)
    grouped = codes.groupby([several[key] for key in keys], sort=False)
    if how == "same":
        wrong = (grouped.min() != grouped.max()).any(axis=1)
        if wrong.any():
            ids = [" ".join(key) if isinstance(key, tuple) else key for key in wrong.index[wrong]]
            fix = "labels.repeated: any, or majority, says what to make of it"
            raise UserError(f"{len(ids)} ids have rows with different labels: {shorten_list(ids)}", path, fix)
        decided = grouped.max()
    elif how == "any":
        decided = grouped.max()
    else:
        decided = grouped.agg(lambda values: values.mode().max())
    result = table.drop_duplicates(keys).set_index(keys)
    decided = decided.apply(lambda column: column.map(dict(enumerate(names))))
    result.loc[decided.index, targets] = decided
    return result.reset_index()[table.columns]
