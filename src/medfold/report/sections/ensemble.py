"""Report section about the ensemble: members, methods and post-processing."""

import numpy as np

from medfold.ensemble import Ensemble
from medfold.report.names import isolate
from medfold.report.page import Section
from medfold.scoring import Metric, format_difference, format_score


def ensemble_section(ensemble: Ensemble, metric: Metric) -> Section:
    """Shows the members, the methods with their cross-fitted scores, and the post-processing."""
    section = Section("ensemble", "Ensemble")
    method_choice = ensemble.method_choice
    if len(ensemble.run_names) > 1:
        rows = [
            [name, format_score(metric(ensemble.members.targets, predictions))]
            for name, predictions in zip(ensemble.run_names, ensemble.members.predictions, strict=True)
        ]
        section.table("Members", ["run", f"out-of-fold {isolate(metric.title)}"], rows)
        rows = [
            [
                candidate.method.title,
                format_score(candidate.cross_fitted),
                format_score(candidate.in_sample),
                format_difference(candidate.gain) if candidate.gain else "",
                f"{candidate.gain.probability:.0%}"
                if candidate.gain and not np.isnan(candidate.gain.probability)
                else "",
            ]
            for candidate in method_choice.candidates
        ]
        section.table(
            "Methods: if fitted on labels, scored on folds that they were not fitted on",
            ["method", "cross-fitted", "in-sample", "gain over the mean (95 % interval)", "probability of a gain"],
            rows,
            [method_choice.candidates.index(method_choice.chosen)],
        )
    if method_choice.post_processed:
        candidate = method_choice.post_processed
        use = "It is used." if candidate.helps else "It is not used, since it does not improve the score."
        section.text(
            f"Post-processing: {candidate.title}. {isolate(metric.title)} "
            f"{format_score(method_choice.chosen.cross_fitted)} without, with it "
            f"{format_score(candidate.cross_fitted)} cross-fitted ({format_score(candidate.in_sample)} in-sample). "
            f"{use}"
        )
    if ensemble.calibration and not method_choice.used_post_processing:
        calibration = ensemble.calibration
        section.text(
            f"Expected calibration error {calibration.before:.4f}; with a temperature of {calibration.temperature:.2f} "
            f"it would be {calibration.after:.4f}, cross-fitted."
        )
    return section
