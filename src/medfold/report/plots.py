"""Plots as SVG that takes its colours and its type from the page, so that it is right in light, dark and print.

Names of classes, folds and runs stand in the legend, which is HTML: it has a font for every script, reads from right to
left where it must, and cuts what is too long. In the SVG there are only numbers and the names of the axes.
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
from medfold.report.line_styles import MARKER, SERIES, WIDTH, line_style, sample

# Stand-ins that become variables of the page's style sheet.
INK, MUTED, GRID = "#010101", "#020202", "#030303"
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    **{stand_in: f"series{number}" for number, stand_in in enumerate(SERIES)},
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
    "lines.linewidth": WIDTH,
    "lines.markersize": MARKER,
}
SIZE = (4.6, 3.6)  # inches of 72 px
LONGEST = 36  # characters of the name of an axis
DIAGONAL = {"color": MUTED, "linewidth": 1, "linestyle": (0, (1, 2))}


def curves(
    named: dict[str, Curve],
    x: str,
    y: str,
    name: str,
    diagonal: bool = False,
    marks: Sequence[Curve] = (),
    notes: Mapping[str, str] | None = None,
) -> Plot:
    """Curves within the unit square.

    Args:
        named: by what stands in the legend.
        x, y: what the axes are.
        name: of the figure, unique on the page.
        diagonal: draws what chance, or perfection, would be.
        marks: points on them.
        notes: a number that stands behind a name in the legend. Defaults to none.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        if diagonal:
            axes.plot([0, 1], [0, 1], **DIAGONAL)
        for number, curve in enumerate(named.values()):
            # Markers at equal distances along the line, elsewhere on each.
            every = (0.03 + 0.022 * (number % 8), 0.18)
            axes.plot(*curve, **_line(number, len(named) > 1), markevery=every)
        for mark in marks:
            axes.plot(*mark, color=INK, linestyle="", marker="o", markersize=5, fillstyle="none")
        axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        return Plot(_svg(figure, name), _legend(list(named), notes))


def at_points(points: Sequence[OperatingPoint]) -> Curve:
    """Operating points on a ROC curve."""
    return Curve(
        np.array([1 - point.specificity for point in points]), np.array([point.sensitivity for point in points])
    )


def reliability(named: dict[str, tuple[Curve, np.ndarray]], name: str) -> Plot:
    """How often predictions came true; the size of a point tells how many there are in its bin.

    Args:
        named: curve and counts of `curves.reliability`, by what stands in the legend.
        name: of the figure, unique on the page.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        axes.plot([0, 1], [0, 1], **DIAGONAL)
        for number, (curve, count) in enumerate(named.values()):
            style = line_style(number)
            axes.plot(*curve, color=style.colour, linestyle=style.linestyle)
            axes.scatter(*curve, s=8 + 60 * count / count.max(), color=style.colour, marker=style.marker)
        axes.set(xlabel="predicted", ylabel="came true", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        return Plot(_svg(figure, name), _legend(list(named)))


def learning(histories: dict[int, pd.DataFrame], column: str, title: str, name: str) -> Plot:
    """A column of the history of each fold, epoch by epoch; head and whole net one after the other.

    Args:
        histories: by fold.
        column: of the histories.
        title: of the axis.
        name: of the figure, unique on the page.
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
        axes.set(xlabel="epoch", ylabel=_cut(title))
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        return Plot(_svg(figure, name), _legend([f"fold {fold}" for fold in histories]))


def histogram(parts: dict[str, np.ndarray], x: str, name: str) -> Plot:
    """How the predictions of each part are spread over 0 to 1, as shares of the part.

    Args:
        parts: predictions, by what stands in the legend.
        x: what they are.
        name: of the figure, unique on the page.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        edges = np.linspace(0, 1, 21)
        for number, values in enumerate(parts.values()):
            share = np.histogram(values, edges)[0] / max(len(values), 1)
            style = line_style(number)
            axes.stairs(share, edges, color=style.colour, linestyle=style.linestyle, linewidth=WIDTH)
            if len(parts) > 1:
                middles = (edges[1:] + edges[:-1]) / 2
                axes.plot(middles, share, color=style.colour, linestyle="", marker=style.marker)
        axes.set(xlabel=x, ylabel="share", xlim=(0, 1), ylim=(0, None))
        return Plot(_svg(figure, name), _legend(list(parts)))


def _figure(size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    return figure, axes


def _cut(label: str) -> str:
    """The name of an axis that is no longer than the axis."""
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def _line(number: int, with_marker: bool) -> dict:
    """The style of a line as arguments of matplotlib."""
    style = line_style(number)
    return {"color": style.colour, "linestyle": style.linestyle, "marker": style.marker if with_marker else ""}


def _legend(names: Sequence[str], notes: Mapping[str, str] | None = None) -> list[LegendEntry]:
    """An entry for each name; none if there is only one."""
    if len(names) < 2:
        return []
    return [LegendEntry(sample(number), each, (notes or {}).get(each, "")) for number, each in enumerate(names)]


def _svg(figure: Figure, name: str) -> str:
    """The figure as an element of a page: without a head of its own, its colours and ids those of the page."""
    out = io.StringIO()
    with warnings.catch_warnings():
        # It is the browser that draws the letters, and it has more fonts than matplotlib.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    view = re.search(r'viewBox="[^"]*"', text).group()
    text = re.sub(r"^<svg [^>]*>", f'<svg class="plot" aria-hidden="true" focusable="false" {view}>', text)
    text = text.replace("xlink:href", "href")
    for stand_in, variable in VARIABLES.items():
        text = text.replace(stand_in, f"var(--{variable})")
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, count=1, flags=re.DOTALL)
    return re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
