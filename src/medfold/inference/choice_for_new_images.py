"""Choice for new images: how a submission of the same runs combines them, saved or determined anew."""

from medfold.competition import Competition
from medfold.ensemble import SavedChoice, choice_of_ensemble, ensemble_runs, mean_of, read_choice, save_choice
from medfold.errors import UserError
from medfold.runs import dataset_of_runs
from medfold.scoring import FittedTransform, metric_of, post_processing_of
from medfold.terminal.console import warn

PLAIN_MEAN_CHOICE = SavedChoice(FittedTransform.from_function(mean_of), None, "arithmetic mean")


def submission_choice(competition: Competition, trained_competition: Competition, run_names: list[str]) -> SavedChoice:
    """Returns how a submission of these runs is combined: the saved choice, else a new one, else `PLAIN_MEAN_CHOICE`.

    A new choice is saved. If it cannot be made, since labels or folds have changed, a warning says so.

    Args:
        competition: the competition with the facts of today.
        trained_competition: the competition with the facts that the runs were trained with.
        run_names: names of the runs.
    """
    metric = metric_of(trained_competition.facts)
    if len(run_names) == 1 and post_processing_of(trained_competition.facts, metric) is None:
        return PLAIN_MEAN_CHOICE
    if saved := read_choice(trained_competition, run_names):
        return saved
    try:
        ensemble = ensemble_runs(competition, run_names, dataset_of_runs(competition, run_names))
    except UserError as reason:
        warn("predict", f"using the plain mean: the combination of a submission cannot be determined: {reason.what}")
        return PLAIN_MEAN_CHOICE
    save_choice(competition, ensemble)
    return choice_of_ensemble(ensemble)
