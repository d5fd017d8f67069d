"""Report section with scores of subgroups."""

import numpy as np

from medfold.competition import Competition
from medfold.data import Dataset, sample_attributes
from medfold.ensemble import Ensemble
from medfold.report.drawing import Drawing, Interval, IntervalTable
from medfold.report.names import isolate
from medfold.report.page import Section, percentage
from medfold.report.subgroup_scores import score_subgroups
from medfold.scoring import format_score, metric_of


def subgroups_section(competition: Competition, dataset: Dataset, ensemble: Ensemble) -> Section | None:
    """Shows the score of each subgroup, as a figure and as numbers; None without subgroups or without a score.

    Args:
        competition: the competition, whose kept columns and DICOM headers name the subgroups.
        dataset: the dataset that the runs were trained on.
        ensemble: the runs, combined; its OOF predictions are scored.
    """
    overall, oof = ensemble.score.value, ensemble.oof
    if overall is None:
        return None
    metric = metric_of(competition.facts)
    samples = dataset.train.drop_duplicates("unit").set_index("unit").loc[oof.unit_ids]
    attributes = sample_attributes(competition, samples)
    subgroups = score_subgroups(metric, oof.targets, oof.predictions, oof.groups, attributes)
    if not subgroups:
        return None
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
