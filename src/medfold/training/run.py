"""Training of a run: its missing folds, in this process or in child processes, and the OOF score."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from types import ModuleType

from medfold.competition import Competition, Recipe, plugins_hash
from medfold.data import Dataset
from medfold.errors import UserError
from medfold.images import load_store, store_key
from medfold.paths import ProjectPaths, RunPaths
from medfold.project_root import display_path
from medfold.runs import is_fold_trained, write_oof
from medfold.scoring import OofScore, format_score, metric_of
from medfold.system import files, locks
from medfold.system.native_output import silence_native_output
from medfold.system.processes import run_in_subprocess
from medfold.terminal.console import format_duration, say
from medfold.text import count_of, shorten_list
from medfold.training import parallel
from medfold.training.features_file import features_path, remove_damaged_features
from medfold.training.loop.checkpoint import remove_checkpoint
from medfold.training.request import TrainingRequest
from medfold.training.run_inputs import RunInputs
from medfold.training.run_start import begin_run, requested_folds


def train_run(competition: Competition, request: TrainingRequest, recipe: Recipe, dataset: Dataset) -> OofScore:
    """Trains the missing folds of a run, in this process or in child processes, and scores all trained folds.

    Args:
        competition: the competition that the run belongs to; the trained folds are written to its runs/.
        request: seed and folds of the run, and how many folds to train at once.
        recipe: the recipe that is requested, with its overrides.
        dataset: the samples, with their targets and folds.

    Returns:
        The OOF score, as `write_oof` returns it.

    Raises:
        UserError: the run was started with another recipe, folds table or store; or folds failed. The other folds are
            trained before failures are reported.
    """
    # All requested folds share the cores, done or not: so a fold always has the same threads, and gives the same bytes.
    requested = requested_folds(competition, request)
    num_jobs = parallel.resolve_jobs(request.jobs, request.thread_shares or len(requested))
    run_paths, missing = begin_run(competition, request, recipe)
    for fold in set(requested) - set(missing):  # a killed process may have left the checkpoint of a finished fold
        remove_checkpoint(run_paths.fold(fold).checkpoint)
    if missing:
        say("train", f"{run_paths.name}: {_plan_as_text(recipe, missing, num_jobs)}")
        if recipe.training.head_epochs:
            remove_damaged_features(features_path(competition, recipe))
        with _remove_run_if_no_fold_started(run_paths):
            if num_jobs == 1:
                num_workers = parallel.default_num_workers() if request.workers is None else request.workers
                inputs = _run_inputs(competition, recipe, request.seed, dataset, num_workers)
                _train_here(inputs, missing, run_paths)
            else:
                _compute_missing_features(competition, recipe, dataset)
                _train_in_processes(competition, replace(request, run=run_paths.name), missing, num_jobs, run_paths)
    else:
        what = "all folds are trained" if request.folds is None else f"done: folds {shorten_list(request.folds, 10)}"
        say("train", f"{what} in {display_path(run_paths.folder)}")
    return write_oof(competition.facts, run_paths, dataset.train, dataset.targets)


def _plan_as_text(recipe: Recipe, missing: list[int], num_jobs: int) -> str:
    """Returns what is going to be trained: net, size, epochs and folds."""
    training = recipe.training
    epochs = count_of(training.epochs, "epoch")
    if training.head_epochs:
        epochs = f"{training.head_epochs} + {epochs}"
    plan = f"{recipe.backbone.name}, {recipe.preparation.size} px, {epochs}, folds {shorten_list(missing, 10)}"
    num_at_once = min(num_jobs, len(missing))
    return f"{plan}, {num_at_once} at a time" if num_at_once > 1 else plan


@contextmanager
def _remove_run_if_no_fold_started(run_paths: RunPaths) -> Iterator[None]:
    """Removes the run if a UserError is raised within the block before any fold has started."""
    try:
        yield
    except UserError:
        started_files = (file for file in run_paths.folder.glob("fold*/*") if not file.name.startswith("."))
        if not any(started_files):
            files.remove(run_paths.folder)
        raise


def _train_in_processes(
    competition: Competition, request: TrainingRequest, missing: list[int], num_jobs: int, run_paths: RunPaths
) -> None:
    """Trains folds in child processes.

    Args:
        competition: the competition that the run belongs to.
        request: the request for the run; each child process gets it with one fold.
        missing: numbers of the folds to train.
        num_jobs: how many folds share the machine, and how many are trained at once at most.
        run_paths: paths of the run.

    Raises:
        UserError: folds failed; the others are done.
    """
    common = asdict(replace(request, jobs=1, thread_shares=None))
    requests = {
        fold: {"competition": competition.paths.name, "request": common | {"folds": [fold]}} for fold in missing
    }
    problems = parallel.train_in_parallel(competition.project_paths.root, requests, num_jobs)
    if problems:
        listed = shorten_list([f"fold {fold}: {problem}" for fold, problem in problems.items()])
        fix = "The others are done; run the same command to train the missing ones"
        raise UserError(f"{len(problems)} of {len(missing)} folds failed: {listed}", run_paths.folder, fix)


def _compute_missing_features(competition: Competition, recipe: Recipe, dataset: Dataset) -> None:
    """Computes the features that all folds need, in a child process, before the machine is divided among the folds."""
    if recipe.training.head_epochs and not features_path(competition, recipe).is_file():
        run_in_subprocess(
            "features", _compute_features, competition.project_paths, competition.paths.name, recipe, dataset
        )


def _compute_features(project_paths: ProjectPaths, name: str, recipe: Recipe, dataset: Dataset) -> None:
    with silence_native_output(show_on_error=True):
        from medfold.training.fold.frozen_features import compute_features
    compute_features(_run_inputs(Competition.open(name, project_paths), recipe, 0, dataset))


def _train_here(inputs: RunInputs, missing: list[int], run_paths: RunPaths) -> None:
    """Trains folds in this process, one after the other, and updates the OOF score after each.

    A fold that another process has finished in the meantime is skipped; a lock keeps two processes from training the
    same one.

    Args:
        inputs: the settings and data of the run.
        missing: numbers of the folds to train.
        run_paths: paths of the run.
    """
    metric = metric_of(inputs.facts)
    kept_nets = None
    for number in missing:
        began = time.monotonic()
        with locks.lock(run_paths.fold(number).folder):
            if is_fold_trained(run_paths.fold(number)):
                continue
            fold = _import_fold()
            kept_nets = kept_nets or fold.KeptNets()
            score = fold.train_fold(inputs, number, run_paths.fold(number), kept_nets)
        say(f"fold {number}", f"{metric.title} {format_score(score)}, {format_duration(time.monotonic() - began)}")
        write_oof(inputs.facts, run_paths, inputs.train, inputs.targets)


def _import_fold() -> ModuleType:
    """Imports the module that trains a fold; only when needed, since importing TensorFlow takes seconds."""
    with silence_native_output(show_on_error=True):  # TensorFlow logs the GPUs that it does not find
        from medfold.training.fold import fold
    return fold


def _run_inputs(
    competition: Competition, recipe: Recipe, seed: int, dataset: Dataset, num_workers: int = 0
) -> RunInputs:
    """Returns what the folds of a run are trained from: its settings, and the store of its prepared images."""
    return RunInputs(
        facts=competition.facts,
        recipe=recipe,
        seed=seed,
        store=load_store(competition.paths, store_key(competition, recipe.preparation)),
        train=dataset.train,
        targets=dataset.targets,
        test=dataset.test,
        features_file=features_path(competition, recipe),
        num_workers=num_workers,
        plugins_hash=plugins_hash(competition.paths.plugins),
    )
