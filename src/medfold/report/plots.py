"""Plots as SVG with the colours and fonts of the page, so that they suit light mode, dark mode and print.

Names of classes, folds and runs are in the legend, which is HTML: it has a font for every script, supports
right-to-left text, and cuts names that are too long. The SVG contains only numbers and the names of the axes.
"""

import io
import re
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medfold.report.curves import Curve, OperatingPoint
from medfold.report.drawing import LegendEntry, Plot
from medfold.report.line_styles import LINE_WIDTH, MARKER_SIZE, SERIES, legend_sample, line_style

# Placeholders that are replaced with variables of the page's style sheet.
INK, MUTED, GRID = "#010101", "#020202", "#030303"
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    **{placeholder: f"series{number}" for number, placeholder in enumerate(SERIES)},
}
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "medfold",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "lines.linewidth": LINE_WIDTH,
    "lines.markersize": MARKER_SIZE,
}
FIGURE_SIZE = (4.6, 3.6)  # inches of 72 px
MAX_LABEL_LENGTH = 36  # characters of the label of an axis
DIAGONAL = {"color": MUTED, "linewidth": 1, "linestyle": (0, (1, 2))}


def curves(
    curve_by_name: dict[str, Curve],
    x: str,
    y: str,
    name: str,
    diagonal: bool = False,
    marks: Sequence[Curve] = (),
    notes: Mapping[str, str] | None = None,
) -> Plot:
    """Plots curves within the unit square.

    Args:
        curve_by_name: curves by legend name.
        x: label of the horizontal axis.
        y: label of the vertical axis.
        name: name of the figure, unique on the page.
        diagonal: True to draw the diagonal, which is chance or perfect calibration. Defaults to False.
        marks: points to mark. Defaults to none.
        notes: numbers after the names in the legend. Defaults to none.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        if diagonal:
            axes.plot([0, 1], [0, 1], **DIAGONAL)
        for number, curve in enumerate(curve_by_name.values()):
            # Markers at equal distances along the line, with a different offset for each line.
            marker_spacing = (0.03 + 0.022 * (number % 8), 0.18)
            axes.plot(*curve, **_line(number, len(curve_by_name) > 1), markevery=marker_spacing)
        for mark in marks:
            axes.plot(*mark, color=INK, linestyle="", marker="o", markersize=5, fillstyle="none")
        axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        return Plot(_svg(figure, name), _legend(list(curve_by_name), notes))


def roc_points(points: Sequence[OperatingPoint]) -> Curve:
    """Returns the positions of operating points on a ROC curve."""
    return Curve(
        np.array([1 - point.specificity for point in points]), np.array([point.sensitivity for point in points])
    )


def reliability(bins_by_name: dict[str, tuple[Curve, np.ndarray]], name: str) -> Plot:
    """Plots observed against predicted frequency; the size of a point shows the number of predictions in its bin.

    Args:
        bins_by_name: curve and counts of `curves.reliability`, by legend name.
        name: name of the figure, unique on the page.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        axes.plot([0, 1], [0, 1], **DIAGONAL)
        for number, (curve, count) in enumerate(bins_by_name.values()):
            style = line_style(number)
            axes.plot(*curve, color=style.colour, linestyle=style.linestyle)
            axes.scatter(*curve, s=8 + 60 * count / count.max(), color=style.colour, marker=style.marker)
        axes.set(xlabel="predicted", ylabel="observed", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        return Plot(_svg(figure, name), _legend(list(bins_by_name)))


def learning(histories: dict[int, pd.DataFrame], column: str, title: str, name: str) -> Plot:
    """Plots a column of each fold's history by epoch; the epochs of the head and of the whole net follow each other.

    Args:
        histories: the history of each fold, by its number.
        column: column of the histories.
        title: title of the vertical axis.
        name: name of the figure, unique on the page.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        for number, history in enumerate(histories.values()):
            step = max(1, len(history) // 8)
            axes.plot(
                np.arange(1, len(history) + 1),
                history[column],
                **_line(number, len(histories) > 1 or len(history) == 1),  # one epoch is a point, not a line
                markevery=(number % step, step),
            )
        axes.set(xlabel="epoch", ylabel=_shortened(title))
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        return Plot(_svg(figure, name), _legend([f"fold {fold}" for fold in histories]))


def histogram(parts: dict[str, np.ndarray], x: str, name: str) -> Plot:
    """Plots the distribution of each part's predictions over 0 to 1, as shares of the part.

    Args:
        parts: predictions, by legend name.
        x: label of the axis.
        name: name of the figure, unique on the page.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        edges = np.linspace(0, 1, 21)
        for number, values in enumerate(parts.values()):
            share = np.histogram(values, edges)[0] / max(len(values), 1)
            style = line_style(number)
            axes.stairs(share, edges, color=style.colour, linestyle=style.linestyle, linewidth=LINE_WIDTH)
            if len(parts) > 1:
                middles = (edges[1:] + edges[:-1]) / 2
                axes.plot(middles, share, color=style.colour, linestyle="", marker=style.marker)
        axes.set(xlabel=x, ylabel="share", xlim=(0, 1), ylim=(0, None))
        return Plot(_svg(figure, name), _legend(list(parts)))


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=FIGURE_SIZE, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    return figure, axes


def _shortened(label: str) -> str:
    """Shortens the label of an axis to the length of the axis."""
    return label if len(label) <= MAX_LABEL_LENGTH else label[: MAX_LABEL_LENGTH - 1] + "…"


def _line(number: int, with_marker: bool) -> dict:
    """Returns the style of a line as arguments of matplotlib."""
    style = line_style(number)
    return {"color": style.colour, "linestyle": style.linestyle, "marker": style.marker if with_marker else ""}


def _legend(names: Sequence[str], notes: Mapping[str, str] | None = None) -> list[LegendEntry]:
    """Returns an entry for each name; none if there is only one."""
    if len(names) < 2:
        return []
    return [LegendEntry(legend_sample(number), name, (notes or {}).get(name, "")) for number, name in enumerate(names)]


def _svg(figure: Figure, name: str) -> str:
    """Returns the figure as an SVG element for the page, with the page's colours and ids unique on the page."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # The letters are drawn in the browser, with more fonts than matplotlib has.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    view_box = re.search(r'viewBox="[^"]*"', text).group()
    text = re.sub(r"^<svg [^>]*>", f'<svg class="plot" aria-hidden="true" focusable="false" {view_box}>', text)
    text = text.replace("xlink:href", "href")
    for placeholder, variable in VARIABLES.items():
        text = text.replace(placeholder, f"var(--{variable})")
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, count=1, flags=re.DOTALL)
    return re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
