"""Report section about the ensemble: members, methods and post-processing."""

import numpy as np

from medfold.ensemble import Ensemble
from medfold.report.names import isolate
from medfold.report.page import Section
from medfold.scoring import Metric, difference_in_words, score_in_words


def ensemble_section(ensemble: Ensemble, metric: Metric) -> Section:
    """Shows the members, the methods with their cross-fitted scores, and the post-processing."""
    section = Section("ensemble", "Ensemble")
    decision = ensemble.decision
    if len(ensemble.names) > 1:
        rows = [
            [name, score_in_words(metric(ensemble.members.targets, predictions))]
            for name, predictions in zip(ensemble.names, ensemble.members.predictions, strict=True)
        ]
        section.table("Members", ["run", f"out-of-fold {isolate(metric.title)}"], rows)
        rows = [
            [
                candidate.method.title,
                score_in_words(candidate.cross_fitted),
                score_in_words(candidate.in_sample),
                difference_in_words(candidate.gain) if candidate.gain else "",
                f"{candidate.gain.probability:.0%}"
                if candidate.gain and not np.isnan(candidate.gain.probability)
                else "",
            ]
            for candidate in decision.contenders
        ]
        section.table(
            "Methods: what is fitted on labels is scored on folds that it was not fitted on",
            ["method", "cross-fitted", "in-sample", "gain over the mean (95 % interval)", "better"],
            rows,
            [decision.contenders.index(decision.chosen)],
        )
    if decision.adjusted:
        candidate = decision.adjusted
        use = "It is used." if candidate.helps else "It is not used, since it does not improve the score."
        section.text(
            f"Post-processing: {candidate.title}. {isolate(metric.title)} "
            f"{score_in_words(decision.chosen.cross_fitted)} without, with it "
            f"{score_in_words(candidate.cross_fitted)} cross-fitted ({score_in_words(candidate.in_sample)} in-sample). "
            f"{use}"
        )
    if ensemble.calibration and not (decision.adjusted and decision.adjusted.helps):
        calibration = ensemble.calibration
        section.text(
            f"Expected calibration error {calibration.before:.4f}; with a temperature of {calibration.temperature:.2f} "
            f"it would be {calibration.after:.4f}, cross-fitted."
        )
    return section
