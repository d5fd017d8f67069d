"""`make train`: the folds that are missing, here or on Kaggle's GPUs."""

from typing import Any

from medfold.commands.folds import show_dataset
from medfold.competition import Project, Recipe, ineffective_settings
from medfold.console import say, warn
from medfold.data import load_dataset
from medfold.errors import UserError
from medfold.notebooks import data_at_kaggle, train_on_kaggle
from medfold.scoring import describe_score
from medfold.training import (
    TrainingRequest,
    missing_folds,
    refuse_invalid_parallelism,
    refuse_unknown_folds,
    refuse_untrainable,
    train_run,
)


def train(
    project: Project,
    recipe: str = "baseline",
    overrides: dict[str, Any] | None = None,
    seeds: list[int] | None = None,
    folds: list[int] | None = None,
    run: str | None = None,
    jobs: str = "1",
    workers: str = "auto",
    on: str = "here",
) -> None:
    """Trains some folds, or all that are missing, for each seed.

    Args:
        recipe, overrides, folds, run, jobs, workers: as in `TrainingRequest`.
        seeds: a run for each. Defaults to 0.
        on: `here`, or `kaggle`: on its GPUs, the results brought back.

    Raises:
        UserError: a fold out of range, or what `train_run` and `train_on_kaggle` raise.
    """
    if run and len(seeds or []) > 1:
        raise UserError("one name cannot serve several seeds", f"RUN={run}", "Leave RUN out")
    refuse_unknown_folds(project, folds)
    requests = [
        TrainingRequest(recipe, overrides or {}, seed, run, folds, jobs, workers=workers) for seed in seeds or [0]
    ]
    choices, prepare = requests[0].recipe_of(project), None
    if on == "kaggle":
        data_at_kaggle(project)  # refused before images are scanned
    else:
        prepare = choices.images
        refuse_invalid_parallelism(requests[0])
        if any(missing_folds(project, request) for request in requests):
            _warn_of_idle(project, choices)
            refuse_untrainable(project, choices)
    data = load_dataset(project, prepare)
    if data.folds_made:
        show_dataset(project, data)
    for request in requests:
        result = (train_on_kaggle if on == "kaggle" else train_run)(project, request, data)
        if result:
            say("OOF score", describe_score(project.competition, result, data.train["unit"].nunique()))


def _warn_of_idle(project: Project, choices: Recipe) -> None:
    reasons: dict[str, list[str]] = {}
    for key, why in ineffective_settings(choices, project.competition.images.symmetry).items():
        reasons.setdefault(why, []).append(key)
    for why, keys in reasons.items():
        warn("train", f"no effect: {', '.join(keys)} ({why})")
