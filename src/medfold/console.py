"""Terminal output: lines with a topic, tables, a question; or all of it as one JSON object."""

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

EACH_EPOCH = "MEDFOLD_TELLS_EACH_EPOCH"  # if set, a training without a terminal prints a line per epoch

# Plain text in notebooks too: Kaggle logs what is written, not what is displayed.
_PLAIN = {"force_jupyter": False, "highlight": False}
console = Console(soft_wrap=True, force_terminal=False if "ipykernel" in sys.modules else None, **_PLAIN)


_listener: Callable[[str, str], None] | None = None
_table_listener: Callable[[list[str], list[list[str]]], None] | None = None


@contextmanager
def redirect_lines(
    listener: Callable[[str, str], None], tables: Callable[[list[str], list[list[str]]], None] | None = None
) -> Iterator[None]:
    """Passes the lines of the block to `listener(topic, text)` instead of the screen.

    Args:
        listener: called with the topic and the text of each line.
        tables: called with the columns and rows of each table. Defaults to dropping tables.
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
    output: dict[str, Any] = {"lines": [], "tables": [], "error": None}

    def add_line(topic: str, text: str) -> None:
        output["lines"].append({"topic": topic, "text": text})

    def add_table(columns: list[str], rows: list[list[str]]) -> None:
        output["tables"].append({"columns": columns, "rows": [[_parse_number(cell) for cell in row] for row in rows]})

    file, console.file = console.file, sys.stderr  # progress bars and questions do not belong to the JSON
    try:
        with redirect_lines(add_line, add_table):
            yield
    except UserError as error:
        output["error"] = str(error)
        raise
    finally:
        console.file = file
        print(json.dumps(output, indent=1, ensure_ascii=False))


def _parse_number(cell: str) -> str | int | float:
    for number_type in (int, float):
        try:
            return number_type(cell.replace(",", "")) if re.fullmatch(r"[-+]?[\d,]*\.?\d+", cell) else cell
        except ValueError:
            continue
    return cell


def say(topic: str, text: str) -> None:
    """Prints one line: the topic in the first column, the text in the second."""
    _print_line("cyan", topic, text)


def warn(topic: str, text: str) -> None:
    """Prints one line, as `say`, about something that works but needs attention."""
    _print_line("yellow", topic, text)


def _print_line(colour: str, topic: str, text: str) -> None:
    if _listener:
        _listener(topic, text)
    else:
        console.print(f"[bold {colour}]{topic:<11}[/]{escape(text)}")


def confirm(question: str) -> bool:
    """Asks a question at the terminal; True only for the answer y or yes.

    Raises:
        UserError: the standard input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise UserError("cannot ask without a terminal", question, "Use YES=1 to answer yes")
    return console.input(f"[bold]{'':<11}{question} [/](y/n) ").strip().lower() in ("y", "yes")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], marked: Iterable[int] = ()) -> None:
    """Prints a small table, indented below the topic; text aligned left, numbers right.

    Args:
        columns: their headings.
        rows: their cells, printed with `str`.
        marked: positions of the rows to print in bold. Defaults to none.
    """
    rows, marked = [[str(cell) for cell in row] for row in rows], set(marked)
    if _listener:
        if _table_listener:
            _table_listener([str(name) for name in columns], rows)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for index, name in enumerate(columns):
        is_numeric = all(row[index].strip("-+.,%0123456789 ") == "" for row in rows)
        table.add_column(name, justify="right" if is_numeric else "left", no_wrap=True)
    for index, row in enumerate(rows):
        table.add_row(*(escape(cell) for cell in row), style="bold" if index in marked else None)
    # Wider than any screen, so that the terminal wraps long rows and rich cuts none.
    colours = "standard" if console.is_terminal else None
    wide_console = Console(width=1000, force_terminal=console.is_terminal, color_system=colours, **_PLAIN)
    with wide_console.capture() as captured:
        wide_console.print(Padding(table, (0, 0, 0, 11)))
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def format_duration(seconds: float) -> str:
    """A duration as text: '42 s', or '6.3 min' from 100 s on."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def format_size(bytes: float) -> str:
    """A file size as text, in decimal units: '3.3 MB'."""
    for unit in ("B", "kB", "MB"):
        if bytes < 999.5:
            return f"{bytes:.0f} {unit}" if unit == "B" else f"{bytes:.3g} {unit}"
        bytes /= 1000
    return f"{bytes:.3g} GB"
