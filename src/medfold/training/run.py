"""Stage `train`: the folds that are missing, and the OOF score of those that are there."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from medfold import files, hardware
from medfold.competition import recipe as recipe_module
from medfold.competition.project import Project, commit_of, describe_score
from medfold.competition.recipe import Recipe
from medfold.console import hushed, minutes, say, warn
from medfold.data.dataset import Table, make_folds
from medfold.errors import UserError, some
from medfold.folds import splitters
from medfold.images import store
from medfold.paths import Paths, RunPaths
from medfold.runs import identity, run_folder
from medfold.scoring import metrics
from medfold.scoring.bootstrap import shown
from medfold.training import parallel

if TYPE_CHECKING:
    from medfold.training.fold import Task


def train(
    project: Project,
    recipe: str = "baseline",
    overrides: dict[str, Any] | None = None,
    seeds: list[int] | None = None,
    folds: list[int] | None = None,
    run: str | None = None,
    jobs: str = "1",
    workers: str = "auto",
    sharers: int | None = None,
) -> None:
    """Trains some folds, or all that are missing, for each seed.

    Args:
        recipe: the name of a recipe of the competition.
        overrides: laid over it.
        seeds: a run for each. Defaults to 0.
        folds: the folds to train. Defaults to all that are missing.
        run: a name for the run. Defaults to one made of recipe, seed and overrides.
        jobs: how many folds at once, each in a process of its own: a number or `auto`. Defaults to 1.
        workers: how many processes make the batches of a training: a number or `auto`, which suits the machine.
        sharers: how many folds the machine is shared among, done or not. Defaults to those that are named.

    Raises:
        UserError: a fold out of range, or a run that was begun with another recipe, folds table or store; folds that
            failed, after the others are done.
    """
    competition, seeds, overrides = project.competition, seeds or [0], overrides or {}
    choices = recipe_module.load(project.paths, project.root.bases, recipe, overrides)
    k = competition.folds.k
    refuse_unknown(project, folds, seeds, run)
    paths = [run_of(project, recipe, overrides, seed, run) for seed in seeds]
    processes = parallel.workers_of(workers)
    # The shares are those of all folds, whichever are done: so a fold has as many threads, and the same bytes.
    among = parallel.jobs_of(jobs, sharers or (k if folds is None else len(folds)))
    if os.environ.pop(parallel.ONE_OF_SEVERAL, None):
        hardware.end_with_parent()
    elif any(missing_folds(project, path, folds) for path in paths):
        _tell_of_idle(project, choices)
        _fit().refuse_untrainable(competition, choices)
    data = make_folds(project, quiet=True, choices=choices.images)
    for seed in seeds:
        run_paths, todo = begin(project, recipe, overrides, choices, seed, folds, run)
        if not todo:
            what = "all folds are done" if folds is None else f"done: folds {some(folds, 10)}"
            say("train", f"{what} in {project.shown(run_paths.folder)}")
        else:
            at_once = min(among, len(todo))
            told = f"folds {some(todo, 10)}" + (f", {at_once} at a time" if at_once > 1 else "")
            head = f"{choices.training.head_epochs} + " if choices.training.head_epochs else ""
            net = f"{choices.backbone.name}, {choices.images.size} px, {head}{choices.training.epochs} epochs"
            say("train", f"{run_paths.name}: {net}, {told}")
            with _gone_if_nothing_was_trained(run_paths):
                if among > 1:
                    words = ["--competition", project.paths.name, "--recipe", recipe, "--seeds", str(seed)]
                    words += ["--run", run_paths.name, "--workers", workers, "--set", json.dumps(overrides)]
                    if choices.training.head_epochs and not features_path(project, choices).is_file():
                        hardware.apart("features", _compute_features, project.root, project.paths.name, choices, data)
                    _train_side_by_side(project, words, todo, among, run_paths)
                else:
                    _train_folds(project, choices, seed, data, run_paths, todo, processes)
        result = run_folder.collect(competition, run_paths, data.train, data.targets)
        say("OOF score", describe_score(competition, result, data.train["unit"].nunique()))


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


def _tell_of_idle(project: Project, choices: Recipe) -> None:
    reasons: dict[str, list[str]] = {}
    for key, why in recipe_module.idle(choices, project.competition.images.symmetry).items():
        reasons.setdefault(why, []).append(key)
    for why, keys in reasons.items():
        warn("train", f"no effect: {', '.join(keys)} ({why})")


def refuse_unknown(project: Project, folds: list[int] | None, seeds: list[int], run: str | None) -> None:
    """Raises UserError if there are no such folds, or if one name is to serve several seeds."""
    k = project.competition.folds.k
    for number in folds or []:
        if not 0 <= number < k:
            raise UserError(f"there is no fold {number}", f"FOLD={number}", f"Choose 0 to {k - 1}, or all")
    if run and len(seeds) > 1:
        raise UserError("one name cannot serve several seeds", f"RUN={run}", "Leave RUN out")


def begin(
    project: Project,
    recipe: str,
    overrides: dict[str, Any],
    choices: Recipe,
    seed: int,
    folds: list[int] | None,
    run: str | None,
) -> tuple[RunPaths, list[int]]:
    """Opens the run of a seed, or begins it; arguments as `train` takes them.

    Returns:
        The run, and which of the folds are still to be trained.
    """
    run_paths = run_of(project, recipe, overrides, seed, run)
    typed = f'"{recipe_module.as_typed(overrides)}"' if overrides else None
    words = {"RECIPE": recipe, "SEEDS": seed, "SET": typed, "RUN": run}
    command = project.command("train", **{key: word for key, word in words.items() if word is not None})
    origin, kept = origin_of(project, choices, seed), files.read_json(run_paths.origin)
    if kept and identity.same_folds(project, kept):
        origin["folds"] = kept["folds"]
    if kept and not identity.same_labels(kept, origin["labels"]):
        what = "labels of the training part are others than those that its first fold was trained on"
        raise UserError(what, run_paths.folder, "Train under another name: RUN=name")
    run_folder.open_run(run_paths, {**origin, "command": command})
    return run_paths, missing_folds(project, run_paths, folds)


def run_of(project: Project, recipe: str, overrides: dict[str, Any], seed: int, run: str | None) -> RunPaths:
    """The run that such words mean: the one that is named, or the one whose name they make."""
    return run_folder.paths_of(project.paths, run or recipe_module.run_name(recipe, seed, overrides))


def missing_folds(project: Project, run_paths: RunPaths, folds: list[int] | None) -> list[int]:
    """Those of the folds (None: of all) that are not done."""
    k = project.competition.folds.k
    done = run_folder.done_folds(run_paths, k)
    return [number for number in (range(k) if folds is None else folds) if number not in done]


def _train_side_by_side(project: Project, words: list[str], todo: list[int], jobs: int, run_paths: RunPaths) -> None:
    problems = parallel.train(project.root.root, words, todo, jobs)
    if problems:
        listed = some([f"fold {fold}: {problem}" for fold, problem in problems.items()])
        fix = "The others are done; the same command trains what is missing"
        raise UserError(f"{len(problems)} of {len(todo)} folds failed: {listed}", run_paths.folder, fix)


def _compute_features(root: Paths, name: str, choices: Recipe, data: Table) -> None:
    """Makes what all folds start from, while there is no fold yet to share the machine with."""
    _fit().compute_features(_task(Project.open(name, root), choices, 0, data))


def _train_folds(
    project: Project, choices: Recipe, seed: int, data: Table, run_paths: RunPaths, todo: list[int], workers: int
) -> None:
    fit, metric = _fit(), metrics.of(project.competition)
    task = _task(project, choices, seed, data, workers)
    for number in todo:
        began = time.monotonic()
        with files.lock(run_paths.fold(number).folder):
            if run_folder.is_done(run_paths.fold(number)):
                continue
            score = fit.train_fold(task, number, run_paths.fold(number))
            log = {
                "seconds": round(time.monotonic() - began, 1),
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            files.write_json(log, run_paths.fold(number).log)
        say(f"fold {number}", f"{metric.title} {shown(score)}, {minutes(time.monotonic() - began)}")
        run_folder.collect(project.competition, run_paths, data.train, data.targets)


def _fit() -> ModuleType:
    """What trains; TensorFlow, that it needs, takes seconds to import, so only now."""
    with hushed():  # TensorFlow tells at length which GPUs it does not find
        from medfold.training import fold as fit
    return fit


def _task(project: Project, choices: Recipe, seed: int, data: Table, workers: int = 0) -> "Task":
    competition, paths = project.competition, project.paths
    pixels = store.load(paths, store.key(competition, paths, choices.images))
    features = features_path(project, choices)
    return _fit().Task(competition, choices, seed, pixels, data.train, data.targets, data.test, features, workers)


def features_path(project: Project, choices: Recipe) -> Path:
    """The file for what the recipe's backbone, frozen, sees in the images."""
    key = store.key(project.competition, project.paths, choices.images)
    facts = [
        choices.backbone.model_dump(exclude={"freeze_norm", "width"}),
        _hash_of_weights(choices),
        project.competition.images.symmetry,
        bool(hardware.gpus()),
        version("keras"),
    ]
    return project.paths.features(key) / f"{files.fingerprint(facts)}.npy"


def _hash_of_weights(choices: Recipe) -> str | None:
    """Of the file that the backbone's weights come from; None without one."""
    weights = Path(choices.backbone.weights).expanduser()
    return files.sha256(weights) if weights.is_file() else None


def origin_of(project: Project, choices: Recipe, seed: int) -> dict[str, Any]:
    return {
        "competition": project.paths.name,
        "seed": seed,
        "recipe": choices.model_dump(mode="json"),
        "facts": project.competition.model_dump(mode="json"),
        "folds": splitters.fingerprint(project.paths),
        "images": identity.images_of(project),
        "labels": identity.labels_of(project),
        "store": store.key(project.competition, project.paths, choices.images),
        "pretrained": _hash_of_weights(choices),
        "versions": {
            name: version(name) for name in ("tensorflow", "keras", "numpy", "albumentations", "opencv-python-headless")
        },
        "commit": commit_of(project.root.root),
    }
