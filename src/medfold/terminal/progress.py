"""Progress on the terminal: a bar for counted work, a spinner for a wait, a live table for parallel work."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from medfold.terminal import console
from medfold.terminal.console import format_duration, format_size, say
from medfold.text import printable

LOG_INTERVAL = 30  # seconds between two lines without a terminal
Item = TypeVar("Item")
TOPIC = "[bold cyan]{task.fields[topic]:<10}"


class ProgressBar:
    """Progress of counted work; made by `progress_bar`."""

    def __init__(self, topic: str, total: int | None, unit: str, done: int, log: bool):
        self._topic = topic
        self._total = total
        self._unit = unit
        self._done = done
        self._log = log
        self._done_at_start = done
        self._started = time.monotonic()
        self._last_logged = self._started
        counts = [DownloadColumn(), TransferSpeedColumn()] if unit == "bytes" else [MofNCompleteColumn(), _text("rate")]
        columns = [BarColumn(bar_width=24), *counts, _text("description"), TimeRemainingColumn(), TextColumn("left")]
        self.bar = _progress(*columns, transient=True)
        self._task = self.bar.add_task("", total=total, completed=done, topic=console.harmless(topic), rate=unit)

    def advance(self, count: int = 1) -> None:
        """Adds `count` units of finished work."""
        self._done += count
        self.bar.update(self._task, advance=count, rate=f"{self._rate:,.0f} {self._unit}/s")
        if self._log and not console.console.is_terminal and time.monotonic() - self._last_logged > LOG_INTERVAL:
            self._last_logged = time.monotonic()
            say(self._topic, self._as_text())

    def describe(self, text: str) -> None:
        """Shows a text after the count; on a terminal only."""
        self.bar.update(self._task, description=printable(text))

    @property
    def _rate(self) -> float:
        return (self._done - self._done_at_start) / max(time.monotonic() - self._started, 1e-9)

    def _as_text(self) -> str:
        if self._unit == "bytes":
            return format_size(self._done) + (f" of {format_size(self._total)}" if self._total else "")
        left = format_duration((self._total - self._done) / max(self._rate, 1e-9))
        return f"{self._done:,} of {self._total:,} {self._unit}, {self._rate:,.0f} a second, {left} left"


@contextmanager
def progress_bar(
    topic: str, total: int | None, unit: str = "images", done: int = 0, log: bool = True
) -> Iterator[ProgressBar]:
    """Shows the progress of counted work: a bar on a terminal; in a notebook or a log file a line every 30 seconds.

    Args:
        topic: text of the first column.
        total: amount of work in `unit`; None, for bytes only, if unknown.
        unit: name of the unit; `bytes` are shown as sizes. Defaults to images.
        done: finished units of an earlier attempt. Defaults to 0.
        log: print lines if there is no terminal. Defaults to True.

    Example:
        >>> with progress_bar("predict", len(images)) as bar:
        ...     for image in images:
        ...         predict(image)
        ...         bar.advance()
    """
    progress = ProgressBar(topic, total, unit, done, log)
    with progress.bar:
        yield progress


def with_time_left(items: Iterable[Item], topic: str, total: int, unit: str) -> Iterator[Item]:
    """Yields each of `items`; where that takes long, prints a line with the time left every 30 seconds.

    Unlike a bar, it may be used while another one is shown.

    Args:
        items: what to iterate over.
        topic: text of the first column.
        total: number of items.
        unit: name of the items, in the plural.
    """
    started = last_said = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - last_said > LOG_INTERVAL:
            last_said = now
            left = format_duration((now - started) / done * (total - done))
            say(topic, f"{done:,} of {total:,} {unit}, {left} left")
        yield item


@contextmanager
def spinner(text: str) -> Iterator[None]:
    """Shows a text and the elapsed time until the block ends; without a terminal prints the text once."""
    if not console.console.is_terminal:
        say("", text)
        yield
        return
    with _progress(_text("description"), TimeElapsedColumn(), transient=True) as progress:
        progress.add_task(printable(text), total=None, topic="")
        yield


@contextmanager
def live_table(topics: Iterable[str]) -> Iterator[Callable[[str, str], None]]:
    """Shows the latest line of each of several parallel topics; without a terminal prints each line.

    Args:
        topics: names of the rows.

    Yields:
        A function `update(topic, text)`, which any thread may call.
    """
    if not console.console.is_terminal:
        yield say
        return
    with _progress(_text("description"), transient=False) as progress:
        rows = {topic: progress.add_task("waiting", topic=console.harmless(topic), total=None) for topic in topics}
        yield lambda topic, text: progress.update(rows[topic], description=printable(text))


def _progress(*columns: ProgressColumn, transient: bool) -> Progress:
    screen = console.console
    return Progress(TextColumn(TOPIC), *columns, console=screen, transient=transient, disable=not screen.is_terminal)


def _text(field: str) -> TextColumn:
    """Returns a column that shows a field verbatim, without reading brackets as markup."""
    return TextColumn("{task.description}" if field == "description" else f"{{task.fields[{field}]}}", markup=False)
