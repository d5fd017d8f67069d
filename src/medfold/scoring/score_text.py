"""Scores as text, with their intervals, for the terminal and pages."""

import numpy as np

from medfold.competition import CompetitionFacts, has_known_groups
from medfold.scoring.bootstrap import Difference
from medfold.scoring.metric_registry import metric_title
from medfold.scoring.out_of_fold import OofScore

UNKNOWN_PATIENTS = "patients unknown: it may be too high"


def format_score(value: float | None, digits: int = 4) -> str:
    """Formats a score: '0.9512', or 'undefined' for nan and None."""
    return "undefined" if value is None or np.isnan(value) else f"{value:.{digits}f}"


def format_interval(low: float | None, high: float | None) -> str:
    """Formats an interval: '0.9312 to 0.9689', or 'no interval' for nan and None."""
    return "no interval" if low is None or high is None or np.isnan(low) else f"{low:.4f} to {high:.4f}"


def format_score_and_interval(title: str, value: float | None, low: float | None, high: float | None) -> str:
    """Formats a score with its interval: 'AUC 0.9512 (95 % interval 0.9312 to 0.9689)'.

    A score of nan or None is 'undefined'.
    """
    if value is None or np.isnan(value):
        return f"{title} undefined"
    interval = format_interval(low, high)
    return f"{title} {value:.4f} ({interval if interval == 'no interval' else f'95 % interval {interval}'})"


def format_difference(difference: Difference) -> str:
    """Formats a difference with its interval: '+0.0123 (-0.0010 to +0.0256)', or 'undefined'."""
    if np.isnan(difference.value):
        return "undefined"
    if np.isnan(difference.low):
        return f"{difference.value:+.4f} (no interval)"
    return f"{difference.value:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"


def describe_score(facts: CompetitionFacts, score: OofScore, total: int) -> str:
    """Formats an OOF score: 'AUC 0.9512 (95 % interval 0.9312 to 0.9689), all 5 folds, 1,000 of 1,000 samples'.

    Args:
        facts: facts of the competition (metric titles, the number of folds, and whether patients are known).
        score: the OOF score of a run or an ensemble.
        total: the number of units in all folds.
    """
    title = metric_title(facts, score.metric)
    k = facts.folds.k
    text = format_score_and_interval(title, score.value, score.low, score.high)
    for name, value in score.more_metrics.items():
        text += f", {metric_title(facts, name)} {format_score(value)}"
    trained = len(score.trained_folds)
    covers = f"all {k} folds" if trained == k else f"covers {trained} of {k} folds"
    text += f", {covers}, {score.num_units:,} of {total:,} {'units' if facts.score.unit else 'samples'}"
    text += "" if has_known_groups(facts) else f"; {UNKNOWN_PATIENTS}"
    return text + (", OPTIMISTIC: epochs were chosen on the scored folds" if score.is_optimistic else "")
