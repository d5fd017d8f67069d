"""Figures as SVG that takes its colours and its type from the page, so that it is right in light, dark and print."""

import io
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medfold.report.curves import Curve, OperatingPoint

# Stand-ins that become variables of the page's style sheet. Series differ in their dashes, too.
INK, MUTED, GRID = "#010101", "#020202", "#030303"
SERIES = [f"#0400{number:02x}" for number in range(8)]
FILLS = [f"#0500{number:02x}" for number in range(9)]  # from nothing to most
DASHES = ["-", (0, (6, 2)), (0, (2, 2)), (0, (6, 2, 2, 2))]
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    **{stand_in: f"series{number}" for number, stand_in in enumerate(SERIES)},
    **{stand_in: f"fill{number}" for number, stand_in in enumerate(FILLS)},
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
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
}
SIZE = (4.6, 3.6)  # inches of 72 px
LONGEST = 36  # characters of a label beside a figure


def curves(
    named: dict[str, Curve], x: str, y: str, name: str, diagonal: bool = False, marks: Sequence[Curve] = ()
) -> str:
    """Curves within the unit square.

    Args:
        named: by what stands in the legend.
        x, y: what the axes are.
        name: of the figure, unique on the page.
        diagonal: draws what chance, or perfection, would be.
        marks: points on them.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        if diagonal:
            axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
        for number, (label, curve) in enumerate(named.items()):
            axes.plot(*curve, color=_colour(number), linestyle=_dash(number), label=label)
        for mark in marks:
            axes.plot(*mark, color=INK, linestyle="", marker="o", markersize=5, fillstyle="none")
        axes.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        _legend(axes, len(named))
        return _svg(figure, name)


def at_points(points: Sequence[OperatingPoint]) -> Curve:
    """Operating points on a ROC curve."""
    return Curve(
        np.array([1 - point.specificity for point in points]), np.array([point.sensitivity for point in points])
    )


def reliability(named: dict[str, tuple[Curve, np.ndarray]], name: str) -> str:
    """How often predictions came true; the size of a point tells how many there are in its bin."""
    with rc_context(STYLE):
        figure, axes = _figure()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
        for number, (label, (curve, count)) in enumerate(named.items()):
            axes.plot(*curve, color=_colour(number), linestyle=_dash(number), label=label)
            axes.scatter(*curve, s=6 + 60 * count / count.max(), color=_colour(number))
        axes.set(xlabel="predicted", ylabel="came true", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        _legend(axes, len(named))
        return _svg(figure, name)


def learning(histories: dict[int, pd.DataFrame], column: str, title: str, name: str) -> str:
    """A column of the history of each fold, epoch by epoch; head and whole net one after the other.

    Args:
        histories: by fold.
        column: of the histories.
        title: of the axis.
        name: of the figure, unique on the page.
    """
    with rc_context(STYLE):
        figure, axes = _figure()
        for number, (fold, history) in enumerate(histories.items()):
            epochs = np.arange(1, len(history) + 1)
            axes.plot(epochs, history[column], color=_colour(number), linestyle=_dash(number), label=f"fold {fold}")
        axes.set(xlabel="epoch", ylabel=title)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _legend(axes, len(histories))
        return _svg(figure, name)


def histogram(parts: dict[str, np.ndarray], x: str, name: str) -> str:
    """How the predictions of each part are spread over 0 to 1, as shares of the part."""
    with rc_context(STYLE):
        figure, axes = _figure()
        edges = np.linspace(0, 1, 21)
        for number, (label, values) in enumerate(parts.items()):
            share = np.histogram(values, edges)[0] / max(len(values), 1)
            axes.stairs(share, edges, color=_colour(number), linestyle=_dash(number), linewidth=1.8, label=label)
        axes.set(xlabel=x, ylabel="share", xlim=(0, 1), ylim=(0, None))
        _legend(axes, len(parts))
        return _svg(figure, name)


def table_of_confusion(counts: np.ndarray, labels: Sequence[str], name: str) -> str:
    """Counts of truth (rows) and decision (columns), shaded by the share of the row."""
    classes = len(labels)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with rc_context({**STYLE, "axes.grid": False}):
        side = min(8.0, 1.6 + 0.55 * classes)
        figure, axes = _figure((max(side, SIZE[0]), max(side - 0.6, 3.0)))
        for row in range(classes):
            for column in range(classes):
                level = round(share[row, column] * (len(FILLS) - 1))
                axes.add_patch(_square(column, row, FILLS[level]))
                if classes <= 14:
                    axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", fontsize=9.5)
        axes.set(xlim=(-0.5, classes - 0.5), ylim=(classes - 0.5, -0.5), xlabel="decided", ylabel="true")
        rotation = 45 if max(map(len, labels)) > 4 else 0
        labels = [_cut(label) for label in labels]
        axes.set_xticks(range(classes), labels, rotation=rotation, ha="right" if rotation else "center")
        axes.set_yticks(range(classes), labels)
        return _svg(figure, name)


def intervals(rows: Sequence[tuple[str, float, float, float]], x: str, whole: float, name: str) -> str:
    """A point and its interval for each row, beside a line for the whole; from top to bottom."""
    with rc_context(STYLE):
        figure, axes = _figure((6.6, 0.9 + 0.3 * len(rows)))
        axes.axvline(whole, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
        for number, (_, value, low, high) in enumerate(rows):
            if np.isnan(value):
                continue
            if not np.isnan(low):
                axes.plot([low, high], [number, number], color=SERIES[0], linewidth=1.6)
            axes.plot([value], [number], color=SERIES[0], marker="o", markersize=5)
        axes.set(xlabel=x, ylim=(len(rows) - 0.5, -0.5))
        axes.set_yticks(range(len(rows)), [_cut(label) for label, *_ in rows])
        axes.grid(axis="y", visible=False)
        return _svg(figure, name)


def _square(column: int, row: int, colour: str):
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor=GRID, linewidth=0.5)


def _figure(size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    return figure, axes


def _cut(label: str) -> str:
    """A label that leaves room for the figure."""
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def _colour(number: int) -> str:
    return SERIES[number % len(SERIES)]


def _dash(number: int):
    return DASHES[number // len(SERIES) % len(DASHES)]


def _legend(axes: Axes, count: int) -> None:
    if 1 < count <= 15:
        axes.legend(ncols=1 if count <= 8 else 2)


def _svg(figure: Figure, name: str) -> str:
    """The figure as an element of a page: without a head of its own, its colours and ids those of the page."""
    out = io.StringIO()
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
