"""Output on the terminal: lines with a topic, tables, a question; or all of it as JSON."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from medfold.errors import UserError

EACH_EPOCH = "MEDFOLD_TELLS_EACH_EPOCH"  # set, a training without a terminal gives a line per epoch

# In a notebook, too, lines are text: Kaggle keeps a log of what is written, not of what is displayed.
AS_TEXT = {"force_jupyter": False, "highlight": False}
console = Console(soft_wrap=True, force_terminal=False if "ipykernel" in sys.modules else None, **AS_TEXT)


_listener: Callable[[str, str], None] | None = None
_table_listener: Callable[[list[str], list[list[str]]], None] | None = None


@contextmanager
def redirect_lines(
    listener: Callable[[str, str], None], tables: Callable[[list[str], list[list[str]]], None] | None = None
) -> Iterator[None]:
    """Passes the lines of the block to `listener(topic, text)` instead of the screen.

    Args:
        tables: gets the columns and rows of tables. Defaults to leaving them out.
    """
    global _listener, _table_listener
    _listener, _table_listener = listener, tables
    try:
        yield
    finally:
        _listener = _table_listener = None


@contextmanager
def as_json() -> Iterator[None]:
    """Collects the lines and tables of the block, and prints them as one JSON object at its end.

    The object holds `lines`, a list of {topic, text}, `tables`, a list of {columns, rows} with numbers as numbers, and
    `error`, the message of a UserError or null.
    """
    told: dict[str, Any] = {"lines": [], "tables": [], "error": None}

    def line(topic: str, text: str) -> None:
        told["lines"].append({"topic": topic, "text": text})

    def rows_of(columns: list[str], rows: list[list[str]]) -> None:
        told["tables"].append({"columns": columns, "rows": [[_number(cell) for cell in row] for row in rows]})

    file, console.file = console.file, sys.stderr  # bars and questions are no part of it
    try:
        with redirect_lines(line, rows_of):
            yield
    except UserError as error:
        told["error"] = str(error)
        raise
    finally:
        console.file = file
        print(json.dumps(told, indent=1, ensure_ascii=False))


def _number(cell: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(cell.replace(",", "")) if re.fullmatch(r"[-+]?[\d,]*\.?\d+", cell) else cell
        except ValueError:
            continue
    return cell


def say(topic: str, text: str) -> None:
    """One line: the topic in the first column, what happened in the second."""
    _line("cyan", topic, text)


def warn(topic: str, text: str) -> None:
    """One line about something that works but should be looked at."""
    _line("yellow", topic, text)


def _line(colour: str, topic: str, text: str) -> None:
    if _listener:
        _listener(topic, text)
    else:
        console.print(f"[bold {colour}]{topic:<11}[/]{escape(text)}")


def confirm(question: str) -> bool:
    """Asks the person at the keyboard; yes only if they type so.

    Raises:
        UserError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise UserError("there is nobody to ask", question, "YES=1 answers it")
    return console.input(f"[bold]{'':<11}{question} [/](y/n) ").strip().lower() in ("y", "yes")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], marked: Iterable[int] = ()) -> None:
    """A small table, indented under the stage; text to the left, numbers to the right; marked rows are bold."""
    rows, marked = [[str(cell) for cell in row] for row in rows], set(marked)
    if _listener:
        if _table_listener:
            _table_listener([str(name) for name in columns], rows)
        return
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, name in enumerate(columns):
        numeric = all(row[number].strip("-+.,%0123456789 ") == "" for row in rows)
        shown.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for number, row in enumerate(rows):
        shown.add_row(*(escape(cell) for cell in row), style="bold" if number in marked else None)
    # Wider than any screen: a terminal wraps, but nothing is cut.
    colours = "standard" if console.is_terminal else None
    wide = Console(width=1000, force_terminal=console.is_terminal, color_system=colours, **AS_TEXT)
    with wide.capture() as captured:
        wide.print(Padding(shown, (0, 0, 0, 11)))
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def format_duration(seconds: float) -> str:
    """'42 s', '6.3 min': a duration as one says it."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def format_size(bytes: float) -> str:
    """'3.3 MB': a file size in decimal units."""
    for unit in ("B", "kB", "MB"):
        if bytes < 999.5:
            return f"{bytes:.0f} {unit}" if unit == "B" else f"{bytes:.3g} {unit}"
        bytes /= 1000
    return f"{bytes:.3g} GB"
