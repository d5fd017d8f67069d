"""Training on a Ray cluster, seen from here: starts the driver, shows its lines, scores the runs."""

from collections.abc import Callable
from contextlib import ExitStack

from medfold.cluster.cluster_jobs import TrainingJob, task_topic
from medfold.cluster.connection import ClusterAddress
from medfold.cluster.driver_process import driver_messages
from medfold.competition import Competition, Recipe
from medfold.data import Dataset
from medfold.errors import UserError
from medfold.runs import trained_folds, write_oof
from medfold.scoring import OofScore
from medfold.system import locks
from medfold.terminal.console import EACH_EPOCH, console, say
from medfold.terminal.progress import live_table
from medfold.training import (
    RunPlan,
    TrainingRequest,
    locate_setting_error,
    plan_as_text,
    plan_run,
    remove_run_if_no_fold_started,
)


def train_on_cluster(
    competition: Competition,
    requests: list[TrainingRequest],
    recipe: Recipe,
    dataset: Dataset,
    address: ClusterAddress | None,
    after_fold: Callable[[str], None] | None = None,
) -> list[OofScore | None]:
    """Trains the missing folds of several runs on a cluster, and puts them into runs/.

    A node that is lost costs the time since the last checkpoint: its folds go on elsewhere. After an error, or Ctrl-C,
    no training is left on the cluster, and the same command goes on.

    Args:
        competition: the competition that the runs belong to.
        requests: the runs, with their folds; they differ in their seeds.
        recipe: the recipe that is requested, with its overrides.
        dataset: the samples, with their targets and folds.
        address: the cluster; None for one on this machine, for this command.
        after_fold: called with the name of a run after each of its folds, when the OOF score is updated. Defaults to
            nothing.

    Returns:
        The OOF score of each run; None for a run without a trained fold.

    Raises:
        UserError: errors of `plan_run` and of `driver_messages`; or a training failed, which ends all others.
    """
    plans = [plan_run(competition, request, recipe, dataset) for request in requests]
    waiting = [plan for plan in plans if plan.folds]
    if waiting:
        for plan in waiting:
            say("train", f"{plan.run_paths.name}: {plan_as_text(recipe, plan.fold_numbers)}")
        with ExitStack() as locked:
            for plan in waiting:
                locked.enter_context(remove_run_if_no_fold_started(plan.run_paths))
                locked.enter_context(locks.exclusive_lock(plan.run_paths.folder / "cluster", "this run is trained"))
            _run_driver(competition, waiting, address, dataset, after_fold)
    return [_score(competition, plan, dataset) for plan in plans]


def _score(competition: Competition, plan: RunPlan, dataset: Dataset) -> OofScore | None:
    if not trained_folds(plan.run_paths, competition.facts.folds.k):
        return None
    return write_oof(competition.facts, plan.run_paths, dataset.train, dataset.targets)


def _run_driver(
    competition: Competition,
    plans: list[RunPlan],
    address: ClusterAddress | None,
    dataset: Dataset,
    after_fold: Callable[[str], None] | None,
) -> None:
    """Runs the driver until all folds are trained; the OOF score of a run is updated after each of its folds."""
    plan_of_run = {plan.run_paths.name: plan for plan in plans}
    topics = [task_topic(plan, fold, len(plans)) for plan in plans for fold in plan.folds]
    environment = {EACH_EPOCH: "1"} if console.is_terminal else {}
    job = TrainingJob(address, plans, plans[0].request.jobs, environment)
    try:
        with live_table(["cluster", *topics]) as show:
            for message in driver_messages(competition.project_paths.root, job):
                match message:
                    case {"run": name}:
                        _score(competition, plan_of_run[name], dataset)
                        if after_fold:
                            after_fold(name)
                    case {"topic": topic, "text": text}:
                        show(topic, text)
    except UserError as error:
        raise locate_setting_error(competition, plans[0].request, error) from None
