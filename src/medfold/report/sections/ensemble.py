"""Report section: how runs are put together."""

import numpy as np

from medfold.ensemble import Ensemble
from medfold.report.names import isolate
from medfold.report.page import Section
from medfold.scoring import Metric, difference_in_words, score_in_words


def ensemble_section(found: Ensemble, metric: Metric) -> Section:
    """Members, methods with their cross-fitted scores, and post-processing."""
    section = Section("ensemble", "Put together")
    decision = found.decision
    if len(found.names) > 1:
        rows = [
            [name, score_in_words(metric(found.members.targets, given))]
            for name, given in zip(found.names, found.members.predictions, strict=True)
        ]
        section.table("Members", ["run", f"out-of-fold {isolate(metric.title)}"], rows)
        rows = [
            [
                one.method.title,
                score_in_words(one.cross_fitted),
                score_in_words(one.in_sample),
                difference_in_words(one.gain) if one.gain else "",
                f"{one.gain.probability:.0%}" if one.gain and not np.isnan(one.gain.probability) else "",
            ]
            for one in decision.contenders
        ]
        section.table(
            "Methods: what is fitted on labels is judged on folds that it has not seen",
            ["method", "cross-fitted", "in-sample", "gain over the mean (95 % interval)", "better"],
            rows,
            [decision.contenders.index(decision.chosen)],
        )
    if decision.adjusted:
        one = decision.adjusted
        fate = "It is used." if one.helps else "It is not used, since the score does not gain."
        section.text(
            f"Post-processing: {one.title}. {isolate(metric.title)} "
            f"{score_in_words(decision.chosen.cross_fitted)} without, with it "
            f"{score_in_words(one.cross_fitted)} cross-fitted ({score_in_words(one.in_sample)} in-sample). {fate}"
        )
    if found.calibration and not (decision.adjusted and decision.adjusted.helps):
        each = found.calibration
        section.text(
            f"Expected calibration error {each.before:.4f}; with a temperature of {each.temperature:.2f} it would be "
            f"{each.after:.4f}, cross-fitted."
        )
    return section
