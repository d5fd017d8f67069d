"""Opens the folder of a run, writes run.json, and lists the folds to train."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from medfold.competition import Competition, Recipe, command_without_folders, format_overrides
from medfold.errors import UserError
from medfold.paths import RunPaths
from medfold.runs import (
    Run,
    check_run_json_not_lost,
    check_same_labels,
    checked_run_paths,
    has_same_folds,
    read_saved_run_json,
    trained_folds,
)
from medfold.system import files
from medfold.system.native_output import silence_native_output
from medfold.training.request import TrainingRequest
from medfold.training.run_metadata import run_metadata
from medfold.training.same_start import record_run_start


def begin_run(competition: Competition, request: TrainingRequest, recipe: Recipe) -> tuple[RunPaths, list[int]]:
    """Opens a run, or creates it.

    Args:
        competition: the competition that the run belongs to; run.json is written to its runs/.
        request: seed and folds of the run.
        recipe: the recipe that is requested, with its overrides.

    Returns:
        The run, and the requested folds that are not trained yet.

    Raises:
        UserError: the run was started with a different recipe, folds table, store or labels; or run.json is damaged, or
            missing although folds are trained.
    """
    run_paths = checked_run_paths(competition.paths, request.run_name)
    overrides_text = format_overrides(request.overrides) if request.overrides else None
    variables = {"RECIPE": request.recipe_name, "SEEDS": request.seed, "SET": overrides_text, "RUN": request.given_name}
    command = command_without_folders(competition.make_command("train", **variables), run_paths.name)
    metadata = run_metadata(competition, recipe, request.seed, command)
    saved = read_saved_run_json(run_paths)
    check_run_json_not_lost(run_paths)
    if saved and has_same_folds(competition, saved):
        # Equal folds, hashed by an earlier version: keep its hash, so that `record_run_start` sees no change.
        metadata = metadata.model_copy(update={"folds_fingerprint": saved.folds_fingerprint})
    if saved:
        check_same_labels(competition, Run(run_paths, saved), metadata.labels_fingerprint)
    try:
        record_run_start(run_paths, metadata)
    except UserError:
        check_recipe_trainable(competition, recipe)  # a mistake in the recipe is the better reason to name
        raise
    return run_paths, missing_fold_numbers(competition, request)


def missing_fold_numbers(competition: Competition, request: TrainingRequest) -> list[int]:
    """Returns the requested folds that are not trained."""
    trained = trained_folds(checked_run_paths(competition.paths, request.run_name), competition.facts.folds.k)
    return [number for number in requested_folds(competition, request) if number not in trained]


def requested_folds(competition: Competition, request: TrainingRequest) -> Sequence[int]:
    """Returns the folds that are requested, trained or not."""
    return range(competition.facts.folds.k) if request.fold_numbers is None else request.fold_numbers


def check_recipe_trainable(competition: Competition, recipe: Recipe) -> None:
    """Checks that a recipe can be trained, before images are prepared. Imports Keras.

    Raises:
        UserError: settings that contradict each other or the data: the errors of `recipe_checks.check_trainable`.
    """
    with silence_native_output(show_on_error=True):  # importing TensorFlow takes seconds, and it logs missing GPUs
        from medfold.training.fold.recipe_checks import check_trainable
    check_trainable(competition.facts, recipe)


@contextmanager
def remove_run_if_no_fold_started(run_paths: RunPaths) -> Iterator[None]:
    """Removes the run if a UserError is raised within the block before any fold has started."""
    try:
        yield
    except UserError:
        started_files = (file for file in run_paths.folder.glob("fold*/*") if not file.name.startswith("."))
        if not any(started_files):
            files.remove(run_paths.folder)
        raise
