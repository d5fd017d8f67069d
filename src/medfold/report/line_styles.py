"""Colours, dashes and markers of lines, which can be distinguished in black and white, too."""

from typing import NamedTuple

from matplotlib.markers import MarkerStyle
from matplotlib.path import Path

# Placeholders that are replaced with variables of the page's style sheet, which defines the colours.
SERIES = [f"#0400{number:02x}" for number in range(8)]
# Lengths of dash and gap, in line widths. 5 dashes and 8 markers share no factor: 40 lines have different pairs.
DASHES = [(), (6.0, 2.0), (2.0, 1.5), (6.0, 1.5, 1.5, 1.5), (9.0, 2.0, 2.0, 2.0, 2.0, 2.0)]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
LINE_WIDTH = 1.8  # in points
MARKER_SIZE = 5.5  # size of a marker, in points
SAMPLE_SIZE = 40, 12  # px: width and height of a line in a legend


class LineStyle(NamedTuple):
    """The style of a line.

    Args:
        colour: a placeholder of `SERIES`.
        dash: lengths of dash and gap in widths of the line; () is solid.
        marker: name of the marker in matplotlib.
    """

    colour: str
    dash: tuple[float, ...]
    marker: str

    @property
    def linestyle(self) -> str | tuple:
        """The dash as matplotlib takes it."""
        return (0, self.dash) if self.dash else "-"


def line_style(number: int) -> LineStyle:
    """Returns the style of the nth line of a figure; dash and marker differ for the first 40."""
    return LineStyle(SERIES[number % len(SERIES)], DASHES[number % len(DASHES)], MARKERS[number % len(MARKERS)])


def legend_sample(number: int) -> str:
    """Draws a piece of a line for the legend, a small SVG.

    Args:
        number: position of the line in its figure, from 0.
    """
    style = line_style(number)
    width, height = SAMPLE_SIZE
    colour = f"var(--series{number % len(SERIES)})"
    dash = f"; stroke-dasharray: {' '.join(f'{LINE_WIDTH * length:g}' for length in style.dash)}" if style.dash else ""
    line = (
        f'<path d="M0 {height / 2:g}H{width}" style="fill: none; stroke: {colour}; stroke-width: {LINE_WIDTH}{dash}"/>'
    )
    marker = f'<path d="{_outline(style.marker)}" style="fill: {colour}"/>'
    return (
        f'<svg class="sample" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{line}{marker}</svg>'
    )


def _outline(marker: str) -> str:
    """Returns a marker in the middle of a sample, as the commands of an SVG path."""
    style = MarkerStyle(marker)
    width, height = SAMPLE_SIZE
    path = style.get_path().transformed(style.get_transform())
    commands = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
    drawn = []
    for points, code in path.iter_segments(simplify=False):
        # y goes down in SVG, up in matplotlib.
        coordinates = [
            f"{width / 2 + MARKER_SIZE * x:.2f} {height / 2 - MARKER_SIZE * y:.2f}" for x, y in points.reshape(-1, 2)
        ]
        drawn.append(commands[code] + ("" if code == Path.CLOSEPOLY else " ".join(coordinates)))
    return "".join(drawn)
