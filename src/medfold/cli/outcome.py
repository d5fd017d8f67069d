"""Outcome of a command that was typed: an exit code and, after an error, one line."""

import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import typer

from medfold.errors import INTERRUPTED, UserError, os_errors_explained
from medfold.system.signals import begin_exit, stop_on_signals
from medfold.terminal.command_text import program
from medfold.text import printable

# The base class of typer's errors. It is click's, which newer versions of typer bring along instead of requiring it.
UsageError = typer.BadParameter.__mro__[1]


def run_and_exit(app: typer.Typer) -> NoReturn:
    """Runs the command that was typed, and exits; a UserError becomes one line and exit code 2."""
    stop_on_signals()
    try:
        with os_errors_explained(), _usage_errors_explained():
            words = sorted(sys.argv[1:], key=lambda word: word != "--debug")  # --debug may stand after the command
            code = app(words or ["--help"], standalone_mode=False)
    except UserError as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        else:
            print(f"medfold: {printable(str(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        _end_stopped()
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        print(f"medfold: {_describe_bug(error)}", file=sys.stderr)
        sys.exit(1)
    if code == INTERRUPTED:  # typer turns Ctrl-C into an exit code
        _end_stopped()
    sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _usage_errors_explained() -> Iterator[None]:
    """Turns errors of the option parser into UserErrors."""
    try:
        yield
    except UsageError as error:
        command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        if error.ctx:  # a missing argument of an option has none
            command = error.ctx.info_name if error.ctx.parent else ""
        text = re.sub(r"\. Did you mean (.*)\?$", r" (did you mean \1?)", error.format_message().rstrip("."))
        fix = f"See: {program()} {command} --help".replace("  ", " ")
        if extra := re.search(r"unexpected extra argument.*\((.*)\)", text):
            text, fix = f"a word without an option: {extra[1]}", f"Write --competition, --recipe or another. {fix}"
        elif not command and text.lower().startswith("no such option"):
            fix = f"Write the command first, then its options. {fix}"
        raise UserError(text[:1].lower() + text[1:], None, fix) from None


def _describe_bug(error: Exception) -> str:
    """Writes the traceback of an unexpected error to a file, and returns one line that names it."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="medfold-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        traceback.print_exception(error, file=file)
    text = printable(" ".join(str(error).split())[:200])
    report = f"please report it with this file, which may name files of yours: {file.name}"
    return f"unexpected error, {type(error).__name__}: {text}. This is a bug: {report}"


def _end_stopped() -> NoReturn:
    """Reports the signal that stopped the command, and exits with 128 and its number."""
    number = begin_exit()
    reason = "" if number == signal.SIGINT else f" by {number.name}"
    with suppress(OSError):  # the terminal may be closed
        print(f"medfold: stopped{reason}; run the same command again to continue", file=sys.stderr)
    sys.exit(128 + number)
