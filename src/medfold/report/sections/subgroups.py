"""Report section with scores of subgroups."""

from collections.abc import Sequence

import numpy as np

from medfold.report.drawing import Drawing, Interval, IntervalTable
from medfold.report.names import isolate
from medfold.report.page import Section, percentage
from medfold.report.subgroups import Subgroup
from medfold.scoring import Metric, format_score


def subgroups_section(metric: Metric, parts: Sequence[Subgroup], whole: float) -> Section:
    """Shows the score of each subgroup, as a figure and as numbers.

    Args:
        metric: the metric.
        parts: the subgroups, of `score_subgroups`, in order.
        whole: the score of all samples.
    """
    section = Section("subgroups", "For whom it works")
    section.text(
        "A low score in one subgroup shows where the net should not be trusted. If all subgroups score lower than the "
        "whole, the net may recognise the subgroup rather than the disease. Intervals are 95 %, over groups; of twenty "
        "subgroups, one may be outside its interval by chance."
    )
    rows = [
        Interval(f"{isolate(part.column)} {isolate(part.value)}", part.score, part.low, part.high) for part in parts
    ]
    text = f"{isolate(metric.title)} by subgroup; dotted: all samples, {format_score(whole)}."
    table = IntervalTable(rows, metric.title, whole)
    section.figures([Drawing("subgroups", "Score by subgroup", text, intervals=table, wide=True)])
    section.table(
        "The same as numbers",
        ["column", "value", "units", "positive", metric.title, "95 % interval"],
        [
            [
                part.column,
                part.value,
                f"{part.units:,}",
                percentage(part.positives),
                "undefined or too few" if np.isnan(part.score) else f"{part.score:.4f}",
                "" if np.isnan(part.low) else f"{part.low:.4f} to {part.high:.4f}",
            ]
            for part in parts
        ],
    )
    return section
