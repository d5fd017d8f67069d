"""Stage `train`, on Kaggle's GPUs: sent from here, trained there, brought back."""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from medfold import files, hardware
from medfold.competition import recipe as recipe_module
from medfold.competition.project import Project, describe_score
from medfold.console import say, size, warn
from medfold.data import raw_data
from medfold.data.dataset import make_folds
from medfold.errors import UserError, some
from medfold.kaggle import remote_run
from medfold.kaggle.datasets import Machines, name_of
from medfold.kaggle.remote_run import Errand, FailedNotebookError
from medfold.kaggle.session import Kaggle
from medfold.notebooks import mounts, notebook_file, training_bundle, wheels
from medfold.notebooks.training_bundle import Job, Order
from medfold.paths import Paths, RunPaths
from medfold.runs import run_folder
from medfold.training.run import begin, refuse_unknown, train

LONGEST = 14 * 3600  # seconds to wait for the notebook; Kaggle stops it after 12 hours


def train_on_kaggle(
    project: Project,
    recipe: str = "baseline",
    overrides: dict[str, Any] | None = None,
    seeds: list[int] | None = None,
    folds: list[int] | None = None,
    run: str | None = None,
    jobs: str = "1",
) -> None:
    """Has the folds that are missing trained by a notebook at Kaggle, and brings them back under runs/.

    A session there ends after 12 hours. A training stops before that, and its exact state is brought back: the same
    command goes on from there.

    Args:
        recipe, overrides, seeds, folds, run, jobs: as `train` takes them.

    Raises:
        UserError: what `train` raises; data that Kaggle does not have; a refusal, or a notebook that failed.
    """
    seeds, overrides, k = seeds or [0], overrides or {}, project.competition.folds.k
    refuse_unknown(project, folds, seeds, run)
    datasets, competition = _attached(project)
    choices = recipe_module.load(project.paths, project.root.bases, recipe, overrides)
    data = make_folds(project, quiet=True)
    machines = Machines(Kaggle.connect())
    for seed in seeds:
        run_paths, todo = begin(project, recipe, overrides, choices, seed, folds, run)
        if todo:
            which = "all" if len(todo) == k else "fold" + "-".join(map(str, todo))
            folder = run_paths.notebook / f"training-{which}"
            with files.alone(folder, "this training at Kaggle is under way"):
                order = Order(recipe, overrides, seed, run_paths.name, todo, jobs, k if folds is None else len(folds))
                sent = _packed(project, choices, order, folder, datasets, competition)
                _sent_and_brought(machines, sent, run_paths, todo)
        else:
            say("train", f"done: folds {some(folds or range(k), 10)}")
        if run_folder.done_folds(run_paths, k):
            result = run_folder.collect(project.competition, run_paths, data.train, data.targets)
            say("OOF score", describe_score(project.competition, result, data.train["unit"].nunique()))


def train_there(folder: Path | str, inputs: Path | str, out: Path | str, hours: float) -> None:
    """Trains what a job says, and packs what comes of it; runs in the notebook.

    Args:
        folder: of the job.
        inputs: the folder that data sets are mounted in.
        out: the folder to write `trained.zip` to.
        hours: after which trainings stop and keep where they stand.

    Raises:
        UserError: what `train` raises, after what is done is packed.
    """
    os.environ[hardware.STOP_AT] = str(time.time() + 3600 * hours)
    opened, out = Job.open(folder), Path(out)
    root = Path(tempfile.mkdtemp(prefix="medfold-"))  # what stands in `out` would all be kept as output
    paths = opened.lay_out(root)
    os.chdir(root)
    project, order = Project.open(paths.name, Paths(root)), opened.order
    try:
        _get_data(project, Path(inputs))
        chosen = (order.recipe, order.overrides, [order.seed], order.folds, order.run, order.jobs)
        train(project, *chosen, sharers=order.sharers)
    except UserError as error:
        if not hardware.time_is_up():
            raise
        warn("train", str(error))
    finally:
        training_bundle.pack(paths.run(order.run), order.folds, opened.about["mark"], out / training_bundle.TRAINED)
        say("packed", f"{size((out / training_bundle.TRAINED).stat().st_size)} -> {out / training_bundle.TRAINED}")


def _attached(project: Project) -> tuple[list[str], str | None]:
    """The data set or the competition at Kaggle that holds the data."""
    source = project.source
    if source.embedded:
        return [], None
    if source.kind == "kaggle":
        return [], source.options.slug
    if source.kind == "kaggle-dataset":
        return [source.options.slug], None
    fix = "Put it there as a data set of your own, and name that: source: {kind: kaggle-dataset, slug: owner/name}"
    raise UserError(f"the data of source {source.kind} is not at Kaggle", project.paths.name, fix)


def _get_data(project: Project, inputs: Path) -> None:
    datasets, competition = _attached(project)
    if project.source.embedded:
        raw_data.download(project)
        return
    place = mounts.competition(inputs, competition) if competition else mounts.dataset(inputs, datasets[0])
    project.source.link(place)
    say("data", f"linked, not copied: {place}")
    raw_data.samples_of(project)


def _packed(
    project: Project,
    choices: recipe_module.Recipe,
    order: Order,
    folder: Path,
    datasets: list[str],
    competition: str | None,
) -> Errand:
    packages = wheels.lacking(project.competition)
    sizes = training_bundle.write(project.paths, project.competition, choices, order, packages, folder / "job")
    label, notebook = folder / "job" / training_bundle.ABOUT, folder / "training.ipynb"
    text = notebook_file.training(project.competition, order.run, order.folds, label, wheels.versions(packages))
    files.write_text(text, notebook)
    say("job", f"{len(sizes)} files, {size(sum(sizes.values()))} -> {project.shown(folder / 'job')}")
    words = ("medfold", "train", project.paths.name, order.run, folder.name.removeprefix("training-"))
    return Errand(
        name=name_of(*words),
        dataset=name_of(*words, "job"),
        label=label,
        notebook=notebook,
        others=datasets,
        competition=competition,
        internet=choices.backbone.weights == "imagenet",
    )


def _sent_and_brought(machines: Machines, sent: Errand, run_paths: RunPaths, todo: list[int]) -> None:
    arrived, log = sent.notebook.with_name(training_bundle.TRAINED), sent.notebook.with_name("log.txt")
    problem: UserError | None = None
    try:
        notebook = remote_run.run(machines, sent, LONGEST, log).notebook
    except FailedNotebookError as error:  # some folds may be done all the same
        if training_bundle.TRAINED not in machines.output(error.notebook).files:
            raise
        problem, notebook = error, error.notebook
    machines.fetch(notebook, training_bundle.TRAINED, arrived)
    done, unfinished = training_bundle.bring(arrived, run_paths, todo, sent.mark)
    if done:
        say("train", f"brought back: folds {some(done, 10)}")
    if unfinished:
        warn("train", f"stopped before the session's end: folds {some(unfinished, 10)}; the same command goes on")
    if problem:
        raise problem
    if not done and not unfinished:
        fix = f"Its log: {log}; to begin anew, delete the notebook there"
        raise UserError("the notebook ended without a fold", notebook.link, fix)
