"""The content of a figure: a plot with its legend, a picture, or a table drawn in HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from medfold.report.names import is_long, text_width

NUM_SHADES = 9  # shades of a cell
MAX_NAMED_WIDTH = 60  # letters in a row up to which the columns of a confusion table have names
MAX_NARROW_WIDTH = 22  # letters in a row up to which the table is placed beside another figure
MAX_COUNTED_CLASSES = 14  # classes up to which the cells show counts


class LegendEntry(NamedTuple):
    """An entry of a legend.

    Args:
        sample: a piece of the line, SVG.
        name: name of the line, for the legend.
        note: a number about it, such as its AUC; '' without one.
    """

    sample: str
    name: str
    note: str = ""


class Plot(NamedTuple):
    """A plot: an SVG whose only text is that of the axes, and its legend, which the page shows as HTML text."""

    svg: str
    legend: Sequence[LegendEntry] = ()


class CaptionedImage(NamedTuple):
    """An image of a sheet.

    Args:
        image: a data URL.
        lines: lines of the caption below the image.
    """

    image: str
    lines: Sequence[str]


class ImageRow(NamedTuple):
    """A row of images that belong together.

    Args:
        title: title of the row; '' without one.
        images: the images, from left to right.
    """

    title: str
    images: Sequence[CaptionedImage]


@dataclass(frozen=True)
class ConfusionTable:
    """Confusion matrix, with cells shaded by their share of the row.

    Args:
        counts: int (classes, classes), true classes by row, decided ones by column.
        names: names of the classes.
    """

    counts: np.ndarray
    names: Sequence[str]

    @property
    def shades(self) -> list[list[int]]:
        """The shade of each cell, 0 to 8."""
        share = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        return np.rint(share * (NUM_SHADES - 1)).astype(int).tolist()

    @property
    def shows_names(self) -> bool:
        """True if columns show the names of the classes; else they show the numbers of the rows."""
        return self._letters <= MAX_NAMED_WIDTH

    @property
    def is_wide(self) -> bool:
        """True if the table needs the full width of the page."""
        return self._letters > MAX_NARROW_WIDTH

    @property
    def shows_counts(self) -> bool:
        """True if cells show their counts; else they are only shaded."""
        return len(self.names) <= MAX_COUNTED_CLASSES

    @property
    def _letters(self) -> int:
        """Letters in a row: all column names and the longest row name; a count takes at least five."""
        return sum(max(5, text_width(name)) for name in self.names) + max(map(text_width, self.names))


class Interval(NamedTuple):
    """A value and its interval; nan where there is none."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class IntervalTable:
    """Values with intervals, one below the other, with a line for the overall value.

    Args:
        rows: the rows, from top to bottom.
        title: what the values are.
        overall: the overall value, shown as a line.
    """

    rows: Sequence[Interval]
    title: str
    overall: float

    def position(self, value: float) -> str:
        """Returns the position of a value on the axis, in percent of its length."""
        low, high = self._range
        return f"{100 * (value - low) / (high - low):.2f}%"

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Tick values of the axis and their labels."""
        from matplotlib.ticker import MaxNLocator

        low, high = self._range
        values = [float(tick) for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
        step = values[1] - values[0] if len(values) > 1 else 1.0
        digits = max(0, int(np.ceil(-np.log10(step) - 1e-9)))
        # 0.25 and 0.5 take as many digits.
        digits += any(abs(round(tick, digits) - tick) > step / 100 for tick in values)
        return [(tick, f"{tick:.{digits}f}") for tick in values]

    @property
    def _range(self) -> tuple[float, float]:
        """The ends of the axis: the range of all values, with a margin."""
        values = [self.overall, *(value for row in self.rows for value in row[1:])]
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        margin = 0.06 * (high - low) or 0.5
        return low - margin, high + margin


@dataclass(frozen=True)
class Drawing:
    """A figure with a title and a text; its content is in one of the other fields.

    Args:
        name: name of the figure, unique on the page.
        title: a short heading.
        text: describes the figure, also for readers who cannot see it.
        svg: a `Plot`, as SVG.
        legend: the legend of the `Plot`.
        image: a picture from `jpeg`.
        confusion: a confusion matrix.
        intervals: values with intervals.
        sheet: rows of images with captions.
        is_wide: True if it takes the full width.
    """

    name: str
    title: str
    text: str
    svg: str = ""
    legend: Sequence[LegendEntry] = ()
    image: str = ""
    confusion: ConfusionTable | None = None
    intervals: IntervalTable | None = None
    sheet: Sequence[ImageRow] = field(default_factory=tuple)
    is_wide: bool = False

    @property
    def shows_pairs(self) -> bool:
        """True if the sheet shows pairs, which are placed side by side."""
        return all(len(row.images) <= 2 for row in self.sheet)


def title_attribute(name: object) -> str:
    """Returns the title attribute of a name: the whole name if it may be cut, else ''."""
    return str(name) if is_long(name) else ""
