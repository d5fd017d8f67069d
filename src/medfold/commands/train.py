"""`make train`: trains the missing folds, here, on a cluster or on Kaggle's GPUs."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from medfold.cluster import ClusterAddress, check_cluster, train_on_cluster
from medfold.commands.shared.dataset_audit import audit_and_show
from medfold.competition import (
    Competition,
    PreparationSettings,
    Recipe,
    batch_size_warning,
    ineffective_settings,
    own_settings,
)
from medfold.data import Dataset, make_dataset
from medfold.errors import UserError
from medfold.images import store_key, verify_store
from medfold.notebooks import find_data_on_kaggle, train_on_kaggle
from medfold.runs import check_folds_exist
from medfold.scoring import OofScore, describe_score
from medfold.terminal.command_text import variable
from medfold.terminal.console import format_duration, format_size, say, warn
from medfold.tracking import Tracking
from medfold.training import (
    TrainingRequest,
    check_recipe_trainable,
    missing_fold_numbers,
    train_run,
)


def train(
    competition: Competition,
    recipe_name: str = "baseline",
    overrides: dict[str, Any] | None = None,
    seeds: list[int] | None = None,
    folds: list[int] | None = None,
    run: str | None = None,
    jobs: int | None = 1,
    workers: int | None = None,
    on: Literal["here", "ray", "kaggle"] = "here",
    address: ClusterAddress | None = None,
    trackers: Sequence[str] = (),
    show_score: bool = True,
) -> None:
    """Trains some folds, or all missing ones, for each seed.

    Args:
        competition: the competition; the runs are put into its runs/, missing files made in its data/ and folds/.
        recipe_name: name of the recipe. Defaults to `baseline`.
        overrides: values that replace values of the recipe. Defaults to none.
        seeds: train a separate run for each. Defaults to 0.
        folds: numbers of the folds to train. Defaults to all that are missing.
        run: name of the run. Defaults to a name made of recipe, seed and overrides.
        jobs: how many folds to train at once; None for one per GPU, else one per core. Defaults to 1.
        workers: how many processes make the batches of a training. Defaults to a number that suits the machine.
        on: `here`; `ray` to train on a cluster; or `kaggle` to train on its GPUs and fetch the results. Defaults to
            `here`.
        address: the cluster of `ray`. Defaults to none: one on this machine, for this command.
        trackers: names of the trackers that get the results of trained folds. Defaults to none.
        show_score: print the OOF score at the end. Defaults to True.

    Raises:
        UserError: a fold out of range, an unknown tracker, or errors of `train_run`, `train_on_cluster` and
            `train_on_kaggle`.
    """
    seeds = seeds or [0]
    if run and len(seeds) > 1:
        raise UserError(
            "one name cannot be used for several seeds", variable("RUN", run), f"Leave {variable('RUN')} out"
        )
    num_folds = competition.facts.folds.k
    check_folds_exist(folds or [], num_folds, f"0 to {num_folds - 1}, or all")
    requests = [
        TrainingRequest(
            recipe_name, overrides or {}, seed, given_name=run, fold_numbers=folds, jobs=jobs, workers=workers
        )
        for seed in seeds
    ]
    recipe = requests[0].load_recipe(competition)
    tracking = Tracking(competition, trackers)
    if on == "ray":
        trained = _on_cluster(competition, requests, recipe, address, tracking.write)
    elif on == "kaggle":
        trained = _on_kaggle(competition, requests, recipe)
    else:
        trained = _here(competition, requests, recipe, tracking.write)
    for run_name, num_units, score in trained:  # as each run is trained
        tracking.write(run_name)
        if score and show_score:
            say("OOF score", describe_score(competition.facts, score, num_units))


class RunScore(NamedTuple):
    """The score of a run whose requested folds are trained, as far as that was possible.

    Args:
        name: name of the run.
        num_units: number of units of the training set.
        score: the OOF score; None if no fold is trained, as after the end of a session on Kaggle.
    """

    name: str
    num_units: int
    score: OofScore | None


def _here(
    competition: Competition, requests: list[TrainingRequest], recipe: Recipe, after_fold: Callable[[str], None]
) -> Iterator[RunScore]:
    dataset = _prepare_training(competition, requests, recipe)
    for request in requests:
        score = train_run(competition, request, recipe, dataset, after_fold)
        yield RunScore(request.run_name, dataset.num_units, score)


def _on_cluster(
    competition: Competition,
    requests: list[TrainingRequest],
    recipe: Recipe,
    address: ClusterAddress | None,
    after_fold: Callable[[str], None],
) -> Iterator[RunScore]:
    check_cluster(address)  # before the images are prepared
    dataset = _prepare_training(competition, requests, recipe)
    scores = train_on_cluster(competition, requests, recipe, dataset, address, after_fold)
    for request, score in zip(requests, scores, strict=True):
        yield RunScore(request.run_name, dataset.num_units, score)


def _on_kaggle(competition: Competition, requests: list[TrainingRequest], recipe: Recipe) -> Iterator[RunScore]:
    find_data_on_kaggle(competition)  # raises its errors before the images are scanned
    dataset = _make_dataset(competition, None)
    for request in requests:
        yield RunScore(request.run_name, dataset.num_units, train_on_kaggle(competition, request, recipe, dataset))


def _prepare_training(competition: Competition, requests: list[TrainingRequest], recipe: Recipe) -> Dataset:
    """Makes the dataset with its store; before folds are trained, checks recipe and store."""
    has_missing_folds = any(missing_fold_numbers(competition, request) for request in requests)
    if has_missing_folds:
        check_recipe_trainable(competition, recipe)
        _warn_about_recipe(competition, requests[0], recipe)
    dataset = _make_dataset(competition, recipe.preparation)
    if has_missing_folds:
        _verify_store(competition, recipe.preparation)
    return dataset


def _make_dataset(competition: Competition, preparation: PreparationSettings | None) -> Dataset:
    """Makes what is missing of the dataset, and shows its folds if they are new."""
    dataset = make_dataset(competition, preparation)
    if dataset.has_new_folds:
        audit_and_show(competition, dataset)
    return dataset


def _verify_store(competition: Competition, preparation: PreparationSettings) -> None:
    """Compares the prepared images with the hashes recorded when they were made; says so if that takes a while."""
    began = time.monotonic()
    size = verify_store(competition.paths, store_key(competition, preparation))
    seconds = time.monotonic() - began
    if seconds > 1:
        say(
            "store",
            f"{format_size(size)} of prepared images, unchanged since they were made, {format_duration(seconds)}",
        )


def _warn_about_recipe(competition: Competition, request: TrainingRequest, recipe: Recipe) -> None:
    """Prints the recipe's own settings without effect, and a warning if the batches are too small."""
    own = own_settings(competition.paths, request.recipe_name, request.overrides)
    keys_by_reason: dict[str, list[str]] = {}
    for key, reason in ineffective_settings(recipe, competition.facts.images.symmetry).items():
        if key in own:
            keys_by_reason.setdefault(reason, []).append(key)
    for reason, keys in keys_by_reason.items():
        warn("train", f"no effect: {', '.join(keys)} ({reason})")
    if warning := batch_size_warning(recipe):
        warn("train", warning)
