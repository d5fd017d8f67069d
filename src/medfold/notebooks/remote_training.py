"""Training on Kaggle's GPUs, seen from here: sends the bundle, runs the notebook, fetches the results."""

from dataclasses import replace
from pathlib import Path

from medfold.competition import Competition, Recipe
from medfold.data import Dataset
from medfold.errors import UserError
from medfold.kaggle import (
    AttachedData,
    FailedNotebookError,
    KaggleKernels,
    KaggleSession,
    NotebookJob,
    kaggle_name,
    run_notebook_job,
)
from medfold.notebooks import notebook_file, training_bundle, wheels
from medfold.notebooks.attached_data import find_data_on_kaggle
from medfold.notebooks.bundle import say_written
from medfold.paths import RunPaths
from medfold.runs import write_oof
from medfold.scoring import OofScore
from medfold.system import files, locks
from medfold.terminal.console import say, warn
from medfold.text import folds_as_text
from medfold.training import TrainingRequest, begin_run, requested_folds

BUNDLE_FOLDER = "job"  # also ends the name of the data set
MAX_WAIT_SECONDS = 14 * 3600  # for the notebook; Kaggle stops it after 12 hours


def train_on_kaggle(
    competition: Competition, request: TrainingRequest, recipe: Recipe, dataset: Dataset
) -> OofScore | None:
    """Trains the missing folds in a notebook on Kaggle, and fetches them into runs/.

    A session there ends after 12 hours. A training stops before that, and its checkpoint is fetched; the same command
    continues from it.

    Args:
        competition: the competition; the fetched folds are put into its runs/.
        request: run and folds to train.
        recipe: the recipe that is requested, with its overrides.
        dataset: the dataset, for scoring the fetched predictions.

    Returns:
        The OOF score, as returned by `write_oof`; None if no fold is trained yet.

    Raises:
        UserError: errors of `train_run`; Kaggle does not have the data, refuses the notebook, or the notebook fails.
    """
    attached = find_data_on_kaggle(competition)
    num_folds = competition.facts.folds.k
    run_paths, missing = begin_run(competition, request, recipe)
    if missing:
        fold_label = "all" if len(missing) == num_folds else "fold" + "-".join(map(str, missing))
        folder = run_paths.notebook / f"training-{fold_label}"
        session = KaggleSession.connect()
        with locks.exclusive_lock(folder, "this training on Kaggle is under way"):
            thread_shares = len(requested_folds(competition, request))
            remote_request = replace(
                request, given_name=run_paths.name, fold_numbers=missing, thread_shares=thread_shares
            )
            job = _pack_training(competition, recipe, remote_request, folder, attached)
            _run_and_fetch(session, job, run_paths, missing)
    else:
        say("train", f"trained: {folds_as_text(requested_folds(competition, request))}")
    return write_oof(competition.facts, run_paths, dataset.train, dataset.targets)


def _pack_training(
    competition: Competition, recipe: Recipe, request: TrainingRequest, folder: Path, attached: AttachedData
) -> NotebookJob:
    """Writes the bundle and the notebook of a training into `folder`, and returns them as a job."""
    packages = wheels.missing_packages(competition.facts)
    sizes = training_bundle.write_training_bundle(
        competition.paths, competition.facts, recipe, request, packages, folder / BUNDLE_FOLDER
    )
    manifest, notebook = folder / BUNDLE_FOLDER / training_bundle.MANIFEST, folder / "training.ipynb"
    text = notebook_file.training_notebook(
        competition.facts, request.run_name, request.fold_numbers, manifest, wheels.installed_versions(packages)
    )
    files.write_text(text, notebook)
    say_written(folder / BUNDLE_FOLDER, sizes)
    name_parts = ("medfold", "train", competition.paths.name, request.run_name, folder.name.removeprefix("training-"))
    return NotebookJob(
        name=kaggle_name(*name_parts),
        dataset_name=kaggle_name(*name_parts, BUNDLE_FOLDER),
        manifest=manifest,
        notebook=notebook,
        attached=attached,
        internet=recipe.backbone.weights == "imagenet",
    )


def _run_and_fetch(session: KaggleSession, job: NotebookJob, run_paths: RunPaths, folds: list[int]) -> None:
    """Runs the notebook and fetches its results; results of trained folds also if the notebook fails later."""
    archive, log = (
        job.notebook.with_name(training_bundle.RESULTS_ARCHIVE),
        job.notebook.with_name("log.txt"),
    )
    kernels = KaggleKernels(session)
    problem: UserError | None = None
    try:
        notebook = run_notebook_job(session, job, MAX_WAIT_SECONDS, log).notebook_version
    except FailedNotebookError as error:  # some folds may be trained anyway
        if training_bundle.RESULTS_ARCHIVE not in kernels.output(error.notebook).files:
            raise
        problem = error
        notebook = error.notebook
    kernels.fetch(notebook, training_bundle.RESULTS_ARCHIVE, archive)
    trained, unfinished = training_bundle.unpack_results(archive, run_paths, folds, job.content_id)
    if trained:
        say("train", f"fetched {folds_as_text(trained)}")
    if unfinished:
        warn(
            "train",
            f"stopped before the session's end: {folds_as_text(unfinished)}; run the same command to resume",
        )
    if problem:
        raise problem
    if not trained and not unfinished:
        fix = f"Its log: {log}; to start again, delete the notebook on Kaggle"
        raise UserError("the notebook trained no fold", notebook.link, fix)
