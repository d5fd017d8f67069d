"""`make ensemble`: scores the ensemble of several runs, by every method."""

from medfold.commands.shared.show_ensemble import combine_and_show
from medfold.competition import Competition
from medfold.ensemble import EnsembleSummary
from medfold.scoring import describe_score
from medfold.terminal.console import say


def ensemble(
    competition: Competition, run_names: list[str], method: str | None = None, per_class: bool = False
) -> EnsembleSummary:
    """Prints members, methods and post-processing of an ensemble, and the OOF score of the one that `submit` would use.

    Args:
        competition: the competition of the runs.
        run_names: names of the runs, one per member.
        method: name of the method to use. Defaults to the choice by cross-fitted scores.
        per_class: fit separate weights for each class or label. Defaults to False.

    Raises:
        UserError: untrained runs, or runs that do not fit together.
    """
    dataset, result, summary = combine_and_show(competition, run_names, method, per_class)
    say("OOF score", describe_score(competition.facts, result.score, dataset.num_units))
    say("then", competition.command("submit", RUNS=" ".join(run_names), METHOD=method, PER_CLASS=per_class))
    return summary
