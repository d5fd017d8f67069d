"""Report section: how runs are put together."""

import numpy as np

from medfold.ensemble import Ensemble
from medfold.report.names import isolate
from medfold.report.page import Section
from medfold.scoring import Metric, format_difference, format_score


def ensemble_section(found: Ensemble, metric: Metric) -> Section:
    """Members, methods with their cross-fitted scores, and post-processing."""
    section = Section("ensemble", "Put together")
    decision = found.choice
    if len(found.names) > 1:
        rows = [
            [name, format_score(metric(found.members.targets, given))]
            for name, given in zip(found.names, found.members.predictions, strict=True)
        ]
        section.table("Members", ["run", f"out-of-fold {isolate(metric.title)}"], rows)
        rows = [
            [
                one.method.title,
                format_score(one.cross_fitted),
                format_score(one.in_sample),
                format_difference(one.gain) if one.gain else "",
                f"{one.gain.probability:.0%}" if one.gain and not np.isnan(one.gain.probability) else "",
            ]
            for one in decision.candidates
        ]
        section.table(
            "Methods: what is fitted on labels is judged on folds that it has not seen",
            ["method", "cross-fitted", "in-sample", "gain over the mean (95 % interval)", "better"],
            rows,
            [decision.candidates.index(decision.chosen)],
        )
    if decision.post_processed:
        one = decision.post_processed
        fate = "It is used." if one.helps else "It is not used, since the score does not gain."
        section.text(
            f"Post-processing: {one.title}. {isolate(metric.title)} "
            f"{format_score(decision.chosen.cross_fitted)} without, with it "
            f"{format_score(one.cross_fitted)} cross-fitted ({format_score(one.in_sample)} in-sample). {fate}"
        )
    if found.calibration and not (decision.post_processed and decision.post_processed.helps):
        each = found.calibration
        section.text(
            f"Expected calibration error {each.before:.4f}; with a temperature of {each.temperature:.2f} it would be "
            f"{each.after:.4f}, cross-fitted."
        )
    return section
