"""The tables that medfold writes.

- `csv_tables`: CSV files; `sealed_tables`: CSV files with hashes of their inputs and contents;
- `formulas`: texts that a spreadsheet would run.
"""

from medfold.tables.csv_tables import FLOAT_FORMAT, csv_text, read_csv, write_csv
from medfold.tables.formulas import is_formula
from medfold.tables.sealed_tables import read_sealed_csv, read_unchanged_csv, write_sealed_csv

__all__ = [
    "FLOAT_FORMAT",
    "csv_text",
    "is_formula",
    "read_csv",
    "read_sealed_csv",
    "read_unchanged_csv",
    "write_csv",
    "write_sealed_csv",
]
