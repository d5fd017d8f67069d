"""Terminal output: lines with a topic, tables, a question; or the result of a command as JSON."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, TypeVar

from pydantic_core import to_json
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from medfold.errors import UserError, os_errors_explained
from medfold.terminal.command_text import variable
from medfold.text import printable

EACH_EPOCH = "MEDFOLD_LOG_EVERY_EPOCH"  # if set, a training without a terminal prints a line per epoch

# Plain text in notebooks too: Kaggle logs what is written, not what is displayed.
_PLAIN = {"force_jupyter": False, "highlight": False}
console = Console(soft_wrap=True, force_terminal=False if "ipykernel" in sys.modules else None, **_PLAIN)


Result = TypeVar("Result")

_listener: Callable[[str, str], None] | None = None
_warnings: list[str] | None = None


@contextmanager
def redirect_lines(listener: Callable[[str, str], None]) -> Iterator[None]:
    """Passes the lines of the block to `listener(topic, text)` instead of the screen; tables are dropped."""
    global _listener
    _listener = listener
    try:
        yield
    finally:
        _listener = None


def run_and_print_json(command: Callable[[], Result]) -> Result:
    """Runs a command and prints its result as JSON to standard output; its text goes to standard error.

    The JSON is one object: `result`, the fields of what the command returns (tables as lists of rows, undefined numbers
    as null); `warnings`, a list of lines; `error`, the message of a UserError or null.

    Args:
        command: a function without arguments.

    Returns:
        The result of the command.
    """
    global _warnings
    output: dict[str, Any] = {"result": None, "warnings": [], "error": None}
    _warnings = output["warnings"]
    try:
        with os_errors_explained(), redirect_stdout(sys.stderr):
            result = output["result"] = command()
        return result
    except UserError as error:
        output |= {"result": error.result, "error": printable(str(error))}
        raise
    finally:
        _warnings = None
        print(to_json(output, indent=1, inf_nan_mode="null", fallback=_to_python).decode())


def _to_python(value: Any) -> Any:
    """Returns a table of pandas as a list of rows, an array or number of NumPy as Python's."""
    return value.to_dict("records") if hasattr(value, "to_dict") else value.tolist()


def harmless(text: str) -> str:
    """Returns a text for rich that is shown as it is: no markup, no characters that a terminal would obey."""
    return escape(printable(text))


def say(topic: str, text: str) -> None:
    """Prints one line: the topic in the first column, the text in the second."""
    _print_line("cyan", topic, text)


def warn(topic: str, text: str) -> None:
    """Prints one line, like `say`, about something that works but needs attention."""
    if _warnings is not None:
        _warnings.append(text)
    _print_line("yellow", topic, text)


def _print_line(colour: str, topic: str, text: str) -> None:
    if _listener:
        _listener(topic, text)
    else:
        console.print(f"[bold {colour}]{harmless(f'{topic:<11}')}[/]{harmless(text)}")


def confirm(question: str) -> bool:
    """Asks a question at the terminal; True only for the answer y or yes.

    Raises:
        UserError: the standard input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise UserError(f"cannot ask '{question}' without a terminal", None, f"Use {variable('YES')} to answer yes")
    return console.input(f"[bold]{'':<11}{harmless(question)} [/](y/n) ").strip().lower() in ("y", "yes")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], marked: Iterable[int] = ()) -> None:
    """Prints a small table, indented below the topic; text aligned left, numbers right.

    Args:
        columns: headings of the columns.
        rows: the cells of each row, printed with `str`.
        marked: positions of the rows to print in bold. Defaults to none.
    """
    rows = [[printable(str(cell)) for cell in row] for row in rows]
    marked = set(marked)
    if _listener:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for index, name in enumerate(columns):
        is_numeric = all(row[index].strip("-+.,%0123456789 ") == "" for row in rows)
        table.add_column(harmless(name), justify="right" if is_numeric else "left", no_wrap=True)
    for index, row in enumerate(rows):
        table.add_row(*(escape(cell) for cell in row), style="bold" if index in marked else None)
    # Wider than any screen, so that the terminal wraps long rows and rich cuts none.
    colours = "standard" if console.is_terminal else None
    wide_console = Console(width=1000, force_terminal=console.is_terminal, color_system=colours, **_PLAIN)
    with wide_console.capture() as captured:
        wide_console.print(Padding(table, (0, 0, 0, 11)))
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def format_duration(seconds: float) -> str:
    """Formats a duration: '42 s', or '6.3 min' from 100 s on."""
    return f"{seconds:.0f} s" if seconds < 99.5 else f"{seconds / 60:.1f} min"


def format_size(num_bytes: float) -> str:
    """Formats a file size in decimal units: '3.3 MB'."""
    for unit in ("B", "kB", "MB"):
        if num_bytes < 999.5:
            return f"{num_bytes:.0f} {unit}" if unit == "B" else f"{num_bytes:.3g} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.3g} GB"
