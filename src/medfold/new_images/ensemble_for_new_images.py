"""Ensemble for new images: the one of a submission of the same runs, saved or fitted anew."""

from medfold.competition import Competition
from medfold.ensemble import (
    FittedEnsemble,
    ensemble_runs,
    fitted_ensemble_of,
    mean_of,
    read_fitted_ensemble,
    save_fitted_ensemble,
)
from medfold.errors import UserError
from medfold.runs import dataset_of_runs
from medfold.scoring import FittedTransform, metric_of, post_processing_of
from medfold.terminal.console import warn

MEAN_TRANSFORM = FittedTransform.from_function(mean_of)


def load_or_fit_ensemble(
    competition: Competition, trained_competition: Competition, run_names: list[str]
) -> FittedEnsemble:
    """Returns the saved ensemble of a submission of these runs, else fits a new one, else the arithmetic mean.

    A new one is saved. If it cannot be fitted, since labels or folds have changed, a warning says so.

    Args:
        competition: the competition with the current facts.
        trained_competition: the competition with the facts that the runs were trained with.
        run_names: names of the runs.
    """
    mean_ensemble = FittedEnsemble(MEAN_TRANSFORM, None, "arithmetic mean", tuple(sorted(set(run_names))))
    metric = metric_of(trained_competition.facts)
    if len(run_names) == 1 and post_processing_of(trained_competition.facts, metric) is None:
        return mean_ensemble
    if saved := read_fitted_ensemble(trained_competition, run_names):
        return saved
    try:
        ensemble = ensemble_runs(competition, run_names, dataset_of_runs(competition, run_names))
    except UserError as reason:
        text = f"using the arithmetic mean: the combination of a submission cannot be determined: {reason.what}"
        warn("predict", text)
        return mean_ensemble
    save_fitted_ensemble(competition, ensemble)
    return fitted_ensemble_of(ensemble)
