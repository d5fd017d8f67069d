"""Training on Kaggle's GPUs: sent from here, trained there, brought back."""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from medfold import files
from medfold.competition import Project, Recipe
from medfold.console import format_size, say, warn
from medfold.data import Dataset, get_raw_data, load_dataset, load_samples, open_source
from medfold.errors import UserError, shorten_list
from medfold.kaggle import FailedNotebookError, KaggleSession, Kernels, RemoteRun, name_of, run_at_kaggle
from medfold.notebooks import mounts, notebook_file, training_bundle, wheels
from medfold.notebooks.training_bundle import TrainingBundle, unpack_results
from medfold.paths import Workspace
from medfold.processes import STOP_AT, deadline_passed
from medfold.run_paths import RunPaths
from medfold.runs import done_folds, write_oof
from medfold.scoring import describe_score
from medfold.training import TrainingRequest, begin_run, train_run

LONGEST = 14 * 3600  # seconds to wait for the notebook; Kaggle stops it after 12 hours


def train_on_kaggle(project: Project, request: TrainingRequest, data: Dataset) -> dict[str, Any] | None:
    """Has the folds that are missing trained by a notebook at Kaggle, and brings them back under runs/.

    A session there ends after 12 hours. A training stops before that, and its exact state is brought back: the same
    command goes on from there.

    Returns:
        The OOF score, as `write_oof` gives it; None if no fold is done yet.

    Raises:
        UserError: what `train_run` raises; data that Kaggle does not have; a refusal, or a notebook that failed.
    """
    datasets, competition = data_at_kaggle(project)
    k, choices = project.competition.folds.k, request.recipe_of(project)
    run_paths, todo = begin_run(project, request)
    if todo:
        which = "all" if len(todo) == k else "fold" + "-".join(map(str, todo))
        folder = run_paths.notebook / f"training-{which}"
        session = KaggleSession.connect()
        with files.exclusive_lock(folder, "this training at Kaggle is under way"):
            sharers = k if request.folds is None else len(request.folds)
            order = replace(request, run=run_paths.name, folds=todo, sharers=sharers)
            sent = _packed(project, choices, order, folder, datasets, competition)
            _sent_and_brought(session, sent, run_paths, todo)
    else:
        say("train", f"done: folds {shorten_list(request.folds or range(k), 10)}")
    if not done_folds(run_paths, k):
        return None
    return write_oof(project.competition, run_paths, data.train, data.targets)


def train_in_notebook(folder: Path | str, inputs: Path | str, out: Path | str, hours: float) -> None:
    """Trains what a bundle asks for, and packs the results; runs in the notebook.

    Args:
        folder: of the job.
        inputs: the folder that data sets are mounted in.
        out: the folder to write `trained.zip` to.
        hours: after which trainings stop and keep where they stand.

    Raises:
        UserError: what `train` raises, after what is done is packed.
    """
    os.environ[STOP_AT] = str(time.time() + 3600 * hours)
    opened, out = TrainingBundle.open(folder), Path(out)
    root = Path(tempfile.mkdtemp(prefix="medfold-"))  # what stands in `out` would all be kept as output
    paths = opened.lay_out(root)
    os.chdir(root)
    project, order = Project.open(paths.name, Workspace(root)), opened.order
    try:
        _get_data(project, Path(inputs))
        data = load_dataset(project, order.recipe_of(project).images)
        result = train_run(project, order, data)
        say("OOF score", describe_score(project.competition, result, data.train["unit"].nunique()))
    except UserError as error:
        if not deadline_passed():
            raise
        warn("train", str(error))
    finally:
        training_bundle.pack_results(
            paths.run(order.run), order.folds, opened.about["mark"], out / training_bundle.TRAINED
        )
        say(
            "packed",
            f"{format_size((out / training_bundle.TRAINED).stat().st_size)} -> {out / training_bundle.TRAINED}",
        )


def data_at_kaggle(project: Project) -> tuple[list[str], str | None]:
    """The data set or the competition at Kaggle that holds the data."""
    source = open_source(project)
    if source.embedded:
        return [], None
    if source.kind == "kaggle":
        return [], source.options.slug
    if source.kind == "kaggle-dataset":
        return [source.options.slug], None
    fix = "Put it there as a data set of your own, and name that: source: {kind: kaggle-dataset, slug: owner/name}"
    raise UserError(f"the data of source {source.kind} is not at Kaggle", project.paths.name, fix)


def _get_data(project: Project, inputs: Path) -> None:
    datasets, competition = data_at_kaggle(project)
    source = open_source(project)
    if source.embedded:
        get_raw_data(project)
        return
    place = (
        mounts.competition_folder(inputs, competition) if competition else mounts.dataset_folder(inputs, datasets[0])
    )
    source.link(place)
    say("data", f"linked, not copied: {place}")
    load_samples(project)


def _packed(
    project: Project,
    choices: Recipe,
    order: TrainingRequest,
    folder: Path,
    datasets: list[str],
    competition: str | None,
) -> RemoteRun:
    packages = wheels.missing_packages(project.competition)
    sizes = training_bundle.write_training_bundle(
        project.paths, project.competition, choices, order, packages, folder / "job"
    )
    label, notebook = folder / "job" / training_bundle.ABOUT, folder / "training.ipynb"
    text = notebook_file.training_notebook(
        project.competition, order.run, order.folds, label, wheels.installed_versions(packages)
    )
    files.write_text(text, notebook)
    say("job", f"{len(sizes)} files, {format_size(sum(sizes.values()))} -> {project.display(folder / 'job')}")
    words = ("medfold", "train", project.paths.name, order.run, folder.name.removeprefix("training-"))
    return RemoteRun(
        name=name_of(*words),
        dataset=name_of(*words, "job"),
        manifest=label,
        notebook=notebook,
        others=datasets,
        competition=competition,
        internet=choices.backbone.weights == "imagenet",
    )


def _sent_and_brought(session: KaggleSession, sent: RemoteRun, run_paths: RunPaths, todo: list[int]) -> None:
    arrived, log = sent.notebook.with_name(training_bundle.TRAINED), sent.notebook.with_name("log.txt")
    kernels = Kernels(session)
    problem: UserError | None = None
    try:
        notebook = run_at_kaggle(session, sent, LONGEST, log).notebook
    except FailedNotebookError as error:  # some folds may be done all the same
        if training_bundle.TRAINED not in kernels.output(error.notebook).files:
            raise
        problem, notebook = error, error.notebook
    kernels.fetch(notebook, training_bundle.TRAINED, arrived)
    done, unfinished = unpack_results(arrived, run_paths, todo, sent.content_id)
    if done:
        say("train", f"brought back: folds {shorten_list(done, 10)}")
    if unfinished:
        warn(
            "train", f"stopped before the session's end: folds {shorten_list(unfinished, 10)}; the same command goes on"
        )
    if problem:
        raise problem
    if not done and not unfinished:
        fix = f"Its log: {log}; to begin anew, delete the notebook there"
        raise UserError("the notebook ended without a fold", notebook.link, fix)
