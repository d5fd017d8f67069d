"""Training on a Ray cluster, seen from here: starts the driver, shows its lines, scores the runs."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from medfold.cluster.cluster_jobs import TrainingJob, task_topic
from medfold.cluster.connection import ClusterAddress
from medfold.cluster.driver_process import driver_messages
from medfold.competition import Competition, Recipe
from medfold.data import Dataset
from medfold.scoring import OofScore
from medfold.system import locks
from medfold.terminal.console import EACH_EPOCH, console, say
from medfold.terminal.progress import live_table
from medfold.training import RunPlan, RunScores, TrainingRequest, open_plan


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
        UserError: errors of `open_plan` and of `driver_messages`; or a training failed, which ends all others.
    """
    scores = RunScores(competition, dataset, after_fold)
    with ExitStack() as opened:
        plans = [opened.enter_context(open_plan(competition, request, recipe, dataset)) for request in requests]
        waiting = [plan for plan in plans if plan.folds]
        for plan in waiting:
            say("train", str(plan))
            opened.enter_context(locks.exclusive_lock(plan.run_paths.folder / "cluster", "this run is trained"))
        if waiting:
            _run_driver(competition.project_paths.root, waiting, address, scores.fold_trained)
        return [scores.of(plan.run_paths.name) for plan in plans]


def _run_driver(
    root: Path, plans: list[RunPlan], address: ClusterAddress | None, fold_trained: Callable[[str], None]
) -> None:
    """Runs the driver until all folds are trained; calls `fold_trained` with the name of the run after each."""
    topics = [task_topic(plan, fold, len(plans)) for plan in plans for fold in plan.folds]
    environment = {EACH_EPOCH: "1"} if console.is_terminal else {}
    job = TrainingJob(address, plans, plans[0].request.jobs, environment)
    with live_table(["cluster", *topics]) as show:
        for message in driver_messages(root, job):
            match message:
                case {"run": name}:
                    fold_trained(name)
                case {"topic": topic, "text": text}:
                    show(topic, text)
