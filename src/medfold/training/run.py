"""Training of a run: its missing folds, in this process or in child processes, and the OOF score."""

from collections.abc import Callable
from functools import partial

from medfold.competition import Competition, Recipe, setting_errors_located
from medfold.data import Dataset
from medfold.errors import UserError
from medfold.scoring import OofScore
from medfold.system import hardware
from medfold.system.processes import run_in_subprocess
from medfold.terminal.console import say
from medfold.text import shorten_list
from medfold.training import parallel
from medfold.training.fold_training import FeatureComputation, train_missing
from medfold.training.request import TrainingRequest
from medfold.training.run_plan import RunPlan, open_plan
from medfold.training.run_scores import RunScores


def train_run(
    competition: Competition,
    request: TrainingRequest,
    recipe: Recipe,
    dataset: Dataset,
    after_fold: Callable[[str], None] | None = None,
) -> OofScore | None:
    """Trains the missing folds of a run, in this process or in child processes, and scores all trained folds.

    Args:
        competition: the competition that the run belongs to; the trained folds are written to its runs/.
        request: seed and folds of the run, and how many folds to train at once.
        recipe: the recipe that is requested, with its overrides.
        dataset: the samples, with their targets and folds.
        after_fold: called with the name of the run after each fold, when the OOF score is updated. Defaults to nothing.

    Returns:
        The OOF score, as `write_oof` returns it.

    Raises:
        UserError: the run was started with a different recipe, folds table or store; or folds failed. The other folds
            are trained before failures are reported.
    """
    with open_plan(competition, request, recipe, dataset) as plan:
        scores, name = RunScores(competition, dataset, after_fold), plan.run_paths.name
        if plan.folds:
            _train(competition, plan, partial(scores.fold_trained, name))
        return scores.of(name)


def _train(competition: Competition, plan: RunPlan, fold_trained: Callable[[], None]) -> None:
    """Trains folds, in this process or in child processes; calls `fold_trained` after each."""
    request = plan.request
    # All requested folds share the cores, trained or not. So each fold gets the same number of threads, whichever are
    # missing, and its files have the same bytes.
    num_jobs = parallel.resolve_jobs(request.jobs, request.thread_shares or len(plan.requested_numbers))
    num_at_once = min(num_jobs, len(plan.folds))
    at_once = f", {num_at_once} at a time" if num_at_once > 1 else ""
    say("train", f"{plan}{at_once}")
    if num_jobs > 1 or len(hardware.cuda_devices()) > 1:
        _compute_missing_features(plan)
    if num_jobs > 1:
        _train_in_processes(competition, plan, num_jobs, fold_trained)
    else:
        for _ in train_missing(plan.folds):
            fold_trained()


def _train_in_processes(
    competition: Competition, plan: RunPlan, num_jobs: int, fold_trained: Callable[[], None]
) -> None:
    """Trains folds in child processes.

    Args:
        competition: the competition that the run belongs to.
        plan: the folds to train.
        num_jobs: how many folds share the machine, and how many are trained at once at most.
        fold_trained: called after each fold; never twice at a time.

    Raises:
        UserError: folds failed; the others are done.
    """
    errors = parallel.train_in_parallel(competition.project_paths.root, plan, num_jobs, fold_trained)
    if errors:
        listed = [
            f"fold {number}: {_locate_setting_error(competition, plan.request, error)}"
            for number, error in errors.items()
        ]
        others = "The others are done; run" if len(errors) < len(plan.folds) else "Run"
        fix = f"{others} the same command to train the missing ones"
        what = f"{len(errors)} of {len(plan.folds)} folds failed: {shorten_list(listed)}"
        raise UserError(what, plan.run_paths.folder, fix)


def _locate_setting_error(competition: Competition, request: TrainingRequest, error: Exception) -> Exception:
    """Returns an error of a training; one in the value of a key names the file that holds the key."""
    try:
        with setting_errors_located(competition.paths, request.recipe_name, request.overrides):
            raise error
    except Exception as raised:
        return raised


def _compute_missing_features(plan: RunPlan) -> None:
    """Computes the features that all folds need, in child processes on all GPUs, before the folds are trained."""
    inputs = plan.folds[0].run_inputs
    if inputs.recipe.training.head_epochs and not inputs.features_file.is_file():
        run_in_subprocess("features", FeatureComputation(inputs, plan.plugins).carry_out)
