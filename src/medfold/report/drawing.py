"""What stands in a figure of the page: a plot with its legend, a picture, or a table that is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from medfold.report.names import is_long, text_width

LEVELS = 9  # shades of a cell, from nothing to most
NAMED = 60  # letters in a row up to which the columns of a confusion table have names
NARROW = 22  # letters in a row up to which it stands beside another figure
COUNTED = 14  # classes up to which its cells have counts


class LegendEntry(NamedTuple):
    """A line of a legend.

    Args:
        sample: a piece of the line, SVG.
        name: what it is.
        note: a number that belongs to it, such as its AUC; '' without one.
    """

    sample: str
    name: str
    note: str = ""


class Plot(NamedTuple):
    """A plot: SVG, whose only words are those of the axes, and its legend, which the page shows as text."""

    svg: str
    legend: Sequence[LegendEntry] = ()


class Captioned(NamedTuple):
    """An image of a sheet.

    Args:
        image: a data address.
        lines: what stands under it.
    """

    image: str
    lines: Sequence[str]


class Strip(NamedTuple):
    """Images of a sheet that belong together.

    Args:
        title: what they are; '' without one.
        images: side by side.
    """

    title: str
    images: Sequence[Captioned]


@dataclass(frozen=True)
class ConfusionTable:
    """Counts of truth (rows) and decision (columns), shaded by the share of the row.

    Args:
        counts: int (classes, classes).
        names: of the classes.
    """

    counts: np.ndarray
    names: Sequence[str]

    @property
    def shades(self) -> list[list[int]]:
        """The shade of each cell, 0 to 8."""
        share = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        return np.rint(share * (LEVELS - 1)).astype(int).tolist()

    @property
    def named(self) -> bool:
        """Whether columns have the names of the classes; else their numbers, which the rows tell."""
        return self._letters <= NAMED

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width of the page."""
        return self._letters > NARROW

    @property
    def counted(self) -> bool:
        """Whether cells show their counts; else they are only shaded."""
        return len(self.names) <= COUNTED

    @property
    def _letters(self) -> int:
        """Letters in a row, the names of all columns and the longest of the rows; a count takes five at least."""
        return sum(max(5, text_width(name)) for name in self.names) + max(map(text_width, self.names))


class Interval(NamedTuple):
    """A value and its interval; nan where there is none."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class IntervalTable:
    """Values with intervals, one below the other, beside a line for the whole.

    Args:
        rows: from top to bottom.
        title: what the values are.
        whole: the value of all.
    """

    rows: Sequence[Interval]
    title: str
    whole: float

    def at(self, value: float) -> str:
        """The position of a value on the axis, in percent of its length."""
        low, high = self._range
        return f"{100 * (value - low) / (high - low):.2f}%"

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Values at the axis, and what is written there."""
        from matplotlib.ticker import MaxNLocator

        low, high = self._range
        found = [float(tick) for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
        step = found[1] - found[0] if len(found) > 1 else 1.0
        digits = max(0, int(np.ceil(-np.log10(step) - 1e-9)))
        # 0.25 and 0.5 take as many digits.
        digits += any(abs(round(tick, digits) - tick) > step / 100 for tick in found)
        return [(tick, f"{tick:.{digits}f}") for tick in found]

    @property
    def _range(self) -> tuple[float, float]:
        """The two ends of the axis: all values, and a margin."""
        values = [self.whole, *(each for row in self.rows for each in row[1:])]
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        room = 0.06 * (high - low) or 0.5
        return low - room, high + room


@dataclass(frozen=True)
class Drawing:
    """A figure with a title and a text; what it shows is one of the fields behind those.

    Args:
        name: unique on the page.
        title: in a few words.
        text: what can be seen, for those too who cannot see it.
        svg, legend: a `Plot`.
        image: a picture from `jpeg`.
        confusion: a table of classes.
        intervals: values with intervals.
        sheet: images with captions.
        wide: True if it takes the whole width.
    """

    name: str
    title: str
    text: str
    svg: str = ""
    legend: Sequence[LegendEntry] = ()
    image: str = ""
    confusion: ConfusionTable | None = None
    intervals: IntervalTable | None = None
    sheet: Sequence[Strip] = field(default_factory=tuple)
    wide: bool = False

    @property
    def pairs(self) -> bool:
        """Whether the sheet is of pairs, which stand side by side."""
        return all(len(strip.images) <= 2 for strip in self.sheet)


def full_text(name: object) -> str:
    """What a title attribute says of a name: all of it, where it may be cut; else ''."""
    return str(name) if is_long(name) else ""
