"""The training of a run: the folds that are missing, here or in processes of their own, and the OOF score."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from medfold import files, hardware
from medfold.competition import Project, Recipe, format_overrides, load_recipe, plugins_hash, run_name
from medfold.console import format_duration, say
from medfold.data import Dataset
from medfold.errors import UserError, shorten_list
from medfold.folds import folds_fingerprint
from medfold.images import load_store, store_key
from medfold.paths import Workspace
from medfold.processes import run_in_subprocess, silence_native_output
from medfold.run_paths import RunPaths
from medfold.runs import (
    done_folds,
    find_run,
    git_commit,
    has_same_folds,
    has_same_labels,
    images_fingerprint,
    is_fold_done,
    labels_fingerprint,
    open_run,
    write_oof,
)
from medfold.scoring import metric_of, score_in_words
from medfold.training import parallel

if TYPE_CHECKING:
    from medfold.training.fold import FoldJob


@dataclass(frozen=True)
class TrainingRequest:
    """A run to be trained, as `make train` is told.

    Args:
        recipe: the name of a recipe of the competition.
        overrides: laid over it.
        seed: of the run.
        run: its name. Defaults to one made of recipe, seed and overrides.
        folds: the folds to train. Defaults to all that are missing.
        jobs: how many folds at once, each in a process of its own: a number or `auto`. Defaults to 1.
        sharers: how many folds the machine is shared among, done or not. Defaults to those that are named.
        workers: how many processes make the batches of a training: a number or `auto`, which suits the machine.
    """

    recipe: str = "baseline"
    overrides: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    run: str | None = None
    folds: list[int] | None = None
    jobs: str = "1"
    sharers: int | None = None
    workers: str = "auto"

    @property
    def run_name(self) -> str:
        """The name of the run."""
        return self.run or run_name(self.recipe, self.seed, self.overrides)

    def recipe_of(self, project: Project) -> Recipe:
        """The recipe with the overrides applied.

        Raises:
            UserError: there is no such recipe or key, or a value is wrong.
        """
        return load_recipe(project.paths, project.workspace.base_folder, self.recipe, self.overrides)


def train_run(project: Project, request: TrainingRequest, data: Dataset) -> dict[str, Any]:
    """Trains the folds of a run that are missing, here or in processes of their own, and scores what is done.

    Returns:
        The OOF score, as `write_oof` gives it.

    Raises:
        UserError: a run that was begun with another recipe, folds table or store; folds that failed, after the others
            are done.
    """
    competition, choices = project.competition, request.recipe_of(project)
    k, workers = competition.folds.k, parallel.resolve_workers(request.workers)
    # The shares are those of all folds, whichever are done: so a fold has as many threads, and the same bytes.
    among = parallel.resolve_jobs(request.jobs, request.sharers or (k if request.folds is None else len(request.folds)))
    run_paths, todo = begin_run(project, request)
    if not todo:
        what = "all folds are done" if request.folds is None else f"done: folds {shorten_list(request.folds, 10)}"
        say("train", f"{what} in {project.display(run_paths.folder)}")
    else:
        at_once = min(among, len(todo))
        told = f"folds {shorten_list(todo, 10)}" + (f", {at_once} at a time" if at_once > 1 else "")
        head = f"{choices.training.head_epochs} + " if choices.training.head_epochs else ""
        net = f"{choices.backbone.name}, {choices.images.size} px, {head}{choices.training.epochs} epochs"
        say("train", f"{run_paths.name}: {net}, {told}")
        with _gone_if_nothing_was_trained(run_paths):
            if among > 1:
                if choices.training.head_epochs and not features_path(project, choices).is_file():
                    name = project.paths.name
                    run_in_subprocess("features", _compute_features, project.workspace, name, choices, data)
                _train_in_processes(project, replace(request, run=run_paths.name), todo, among, run_paths)
            else:
                _train_here(project, choices, request.seed, data, run_paths, todo, workers)
    return write_oof(competition, run_paths, data.train, data.targets)


@contextmanager
def _gone_if_nothing_was_trained(run_paths: RunPaths) -> Iterator[None]:
    """Takes a run away whose settings were refused before a fold had begun."""
    try:
        yield
    except UserError:
        folds_begun = (file for file in run_paths.folder.glob("fold*/*") if not file.name.startswith("."))
        if not any(folds_begun):
            files.remove(run_paths.folder)
        raise


def refuse_unknown_folds(project: Project, folds: list[int] | None) -> None:
    """Raises UserError if there are no such folds."""
    k = project.competition.folds.k
    for number in folds or []:
        if not 0 <= number < k:
            raise UserError(f"there is no fold {number}", f"FOLD={number}", f"Choose 0 to {k - 1}, or all")


def refuse_impossible_words(request: TrainingRequest) -> None:
    """Raises UserError for jobs or workers that are neither a number nor `auto`."""
    parallel.resolve_jobs(request.jobs, 1)
    parallel.resolve_workers(request.workers)


def refuse_untrainable(project: Project, choices: Recipe) -> None:
    """Raises UserError for a recipe that no fold can be trained with."""
    _fold().refuse_untrainable(project.competition, choices)


def begin_run(project: Project, request: TrainingRequest) -> tuple[RunPaths, list[int]]:
    """Opens a run, or begins it.

    Returns:
        The run, and which of the folds are still to be trained.

    Raises:
        UserError: it was begun with another recipe, folds table, store or labels.
    """
    run_paths, choices = find_run(project.paths, request.run_name), request.recipe_of(project)
    typed = f'"{format_overrides(request.overrides)}"' if request.overrides else None
    words = {"RECIPE": request.recipe, "SEEDS": request.seed, "SET": typed, "RUN": request.run}
    command = project.command("train", **{key: word for key, word in words.items() if word is not None})
    origin, kept = run_metadata(project, choices, request.seed), files.read_json(run_paths.metadata)
    if kept and has_same_folds(project, kept):
        origin["folds"] = kept["folds"]
    if kept and not has_same_labels(kept, origin["labels"]):
        what = "labels of the training part are others than those that its first fold was trained on"
        raise UserError(what, run_paths.folder, "Train under another name: RUN=name")
    open_run(run_paths, {**origin, "command": command})
    return run_paths, missing_folds(project, request)


def missing_folds(project: Project, request: TrainingRequest) -> list[int]:
    """Those of the requested folds that are not done."""
    k = project.competition.folds.k
    done = done_folds(find_run(project.paths, request.run_name), k)
    return [number for number in (range(k) if request.folds is None else request.folds) if number not in done]


def _train_in_processes(
    project: Project, request: TrainingRequest, todo: list[int], jobs: int, run_paths: RunPaths
) -> None:
    alone = asdict(replace(request, jobs="1", sharers=None))
    requests = {fold: {"competition": project.paths.name, "request": alone | {"folds": [fold]}} for fold in todo}
    problems = parallel.train_in_parallel(project.workspace.root, requests, jobs)
    if problems:
        listed = shorten_list([f"fold {fold}: {problem}" for fold, problem in problems.items()])
        fix = "The others are done; the same command trains what is missing"
        raise UserError(f"{len(problems)} of {len(todo)} folds failed: {listed}", run_paths.folder, fix)


def _compute_features(workspace: Workspace, name: str, choices: Recipe, data: Dataset) -> None:
    """Makes what all folds start from, while there is no fold yet to share the machine with."""
    _fold().compute_features(_job(Project.open(name, workspace), choices, 0, data))


def _train_here(
    project: Project, choices: Recipe, seed: int, data: Dataset, run_paths: RunPaths, todo: list[int], workers: int
) -> None:
    metric = metric_of(project.competition)
    job = _job(project, choices, seed, data, workers)
    for number in todo:
        began = time.monotonic()
        with files.lock(run_paths.fold(number).folder):
            if is_fold_done(run_paths.fold(number)):
                continue
            score = _fold().train_fold(job, number, run_paths.fold(number))
            log = {
                "seconds": round(time.monotonic() - began, 1),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            files.write_json(log, run_paths.fold(number).log)
        say(f"fold {number}", f"{metric.title} {score_in_words(score)}, {format_duration(time.monotonic() - began)}")
        write_oof(project.competition, run_paths, data.train, data.targets)


def _fold() -> ModuleType:
    """What trains; TensorFlow, that it needs, takes seconds to import, so only now."""
    with silence_native_output(show_on_error=True):  # TensorFlow tells at length which GPUs it does not find
        from medfold.training import fold
    return fold


def _job(project: Project, choices: Recipe, seed: int, data: Dataset, workers: int = 0) -> "FoldJob":
    competition, paths = project.competition, project.paths
    pixels = load_store(paths, store_key(competition, paths, choices.images))
    features = features_path(project, choices)
    return _fold().FoldJob(
        competition=competition,
        recipe=choices,
        seed=seed,
        store=pixels,
        train=data.train,
        targets=data.targets,
        test=data.test,
        features=features,
        workers=workers,
        plugins=plugins_hash(paths.plugins),
    )


def run_metadata(project: Project, choices: Recipe, seed: int) -> dict[str, Any]:
    """What run.json says of a run that begins now."""
    return {
        "competition": project.paths.name,
        "seed": seed,
        "recipe": choices.model_dump(mode="json"),
        "facts": project.competition.model_dump(mode="json"),
        "folds": folds_fingerprint(project.paths),
        "images": images_fingerprint(project),
        "labels": labels_fingerprint(project),
        "store": store_key(project.competition, project.paths, choices.images),
        "pretrained": hash_pretrained_weights(choices),
        "versions": {
            name: version(name) for name in ("tensorflow", "keras", "numpy", "albumentations", "opencv-python-headless")
        },
        "commit": git_commit(project.workspace.root),
        **plugins_and_backend(project),
    }


def plugins_and_backend(project: Project) -> dict[str, str]:
    """What run.json says of the competition's own code and of the Keras backend; nothing where both are as usual."""
    plugins, backend = plugins_hash(project.paths.plugins), hardware.keras_backend()
    return ({"plugins": plugins} if plugins else {}) | ({"backend": backend} if backend != "tensorflow" else {})


def features_path(project: Project, choices: Recipe) -> Path:
    """The file for what the recipe's backbone, frozen, sees in the images."""
    key = store_key(project.competition, project.paths, choices.images)
    facts = [
        choices.backbone.model_dump(exclude={"freeze_norm", "width"}),
        hash_pretrained_weights(choices),
        project.competition.images.symmetry,
        bool(hardware.cuda_devices()),
        version("keras"),
        *plugins_and_backend(project).values(),
    ]
    return project.paths.features(key) / f"{files.fingerprint(facts)}.npy"


def hash_pretrained_weights(choices: Recipe) -> str | None:
    """Of the file that the backbone's weights come from; None without one."""
    weights = Path(choices.backbone.weights).expanduser()
    return files.sha256(weights) if weights.is_file() else None
