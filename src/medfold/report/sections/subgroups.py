"""Report section with scores of subgroups."""

from collections.abc import Sequence

import numpy as np

from medfold.report.drawing import Drawing, Interval, IntervalTable
from medfold.report.names import isolate
from medfold.report.page import Section, percentage
from medfold.report.subgroup_scores import Subgroup
from medfold.scoring import Metric, format_score


def subgroups_section(metric: Metric, subgroups: Sequence[Subgroup], overall: float) -> Section:
    """Shows the score of each subgroup, as a figure and as numbers.

    Args:
        metric: the metric that subgroups are scored by.
        subgroups: the subgroups, of `score_subgroups`, in order.
        overall: the score of all samples.
    """
    section = Section("subgroups", "Subgroup scores")
    section.text(
        "A low score in one subgroup shows where the net should not be trusted. If all subgroups score lower than "
        "all samples together, the net may recognise the subgroup rather than the disease. Intervals are 95 %, over "
        "groups; of twenty subgroups, one may be outside its interval by chance."
    )
    rows = [
        Interval(f"{isolate(subgroup.column)} {isolate(subgroup.value)}", subgroup.score, subgroup.low, subgroup.high)
        for subgroup in subgroups
    ]
    text = f"{isolate(metric.title)} by subgroup; dotted: all samples, {format_score(overall)}."
    table = IntervalTable(rows, metric.title, overall)
    section.figures([Drawing("subgroups", "Score by subgroup", text, intervals=table, is_wide=True)])
    section.table(
        "Subgroup scores as numbers",
        ["column", "value", "units", "positive", metric.title, "95 % interval"],
        [
            [
                subgroup.column,
                subgroup.value,
                f"{subgroup.num_units:,}",
                percentage(subgroup.positive_share),
                "undefined or too few" if np.isnan(subgroup.score) else f"{subgroup.score:.4f}",
                "" if np.isnan(subgroup.low) else f"{subgroup.low:.4f} to {subgroup.high:.4f}",
            ]
            for subgroup in subgroups
        ],
    )
    return section
