"""`make compare`: tests whether one run is better than another beyond chance."""

import numpy as np

from medfold.competition import Competition
from medfold.runs import Comparison, compare_runs
from medfold.scoring import format_interval, format_score, metric_of
from medfold.terminal.console import print_table, say, warn
from medfold.text import folds_as_text, shorten_list


def compare(competition: Competition, sides: list[str]) -> Comparison:
    """Tests whether the second run beats the first on the folds that both have, by a paired bootstrap over groups.

    Args:
        competition: the competition of the runs.
        sides: two run names; several joined with `+` stand for the mean of their predictions.

    Returns:
        The scores, and their difference, positive if the second is better.

    Raises:
        UserError: not two sides, an untrained run, or no fold in common.
    """
    comparison = compare_runs(competition, sides)
    metric = metric_of(competition.facts)
    title = metric.title
    folds = comparison.folds
    num_folds = comparison.num_folds
    difference = comparison.difference
    covers = f"all {num_folds} folds"
    if len(folds) < num_folds:
        covers = f"{folds_as_text(folds, num_folds)}, which all have"
    units = "units" if competition.facts.score.unit else "samples"
    say("compare", f"{covers}, {comparison.num_units:,} {units}")
    rows = [[side.name, format_score(side.value), format_interval(side.low, side.high)] for side in comparison.sides]
    print_table(["run", title, "95 % interval"], rows)
    if np.isnan(difference.value):
        say("difference", f"undefined: {title} is undefined on the compared folds")
    else:
        say("difference", _describe_difference(comparison, metric.higher_is_better))
    say("verdict", _verdict(comparison))
    if optimistic := [side for side in comparison.sides if side.optimistic_runs]:
        names = shorten_list(name for side in optimistic for name in side.optimistic_runs)
        effect = f"the comparison is biased in favour of {optimistic[0].name}"
        if len(optimistic) == 2:
            effect = "both scores are too high, and their difference is not reliable"
        warn("", f"OPTIMISTIC: the epochs of {names} were chosen on the scored folds: {effect}")
    return comparison


def _describe_difference(comparison: Comparison, higher_is_better: bool) -> str:
    """Describes the difference: 'wide scores 0.0123 higher (95 % interval -0.0010 to +0.0256); better in ...'."""
    first, second = comparison.sides
    difference = comparison.difference
    positive, negative = ("higher", "lower") if higher_is_better else ("better", "worse")
    amount = f"the same as {first.name}"
    if difference.value:
        amount = f"{abs(difference.value):.4f} {positive if difference.value > 0 else negative}"
    interval = "no interval"
    if not np.isnan(difference.low):
        interval = f"95 % interval {difference.low:+.4f} to {difference.high:+.4f}"
    text = f"{second.name} scores {amount} ({interval})"
    if difference.value and not np.isnan(difference.probability):
        text += f"; better in {difference.probability:.0%} of the resamples"
    return text


def _verdict(comparison: Comparison) -> str:
    if np.isnan(comparison.difference.low):
        return "undefined: too few resamples have a score to compare"
    if comparison.better_side is None:
        return "not proven: the 95 % interval contains 0"
    (worse,) = {side.name for side in comparison.sides} - {comparison.better_side}
    return f"{comparison.better_side} beats {worse} beyond chance"
