"""Training on a Ray cluster, seen from here: starts the driver, shows its lines, scores the runs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from medfold.cluster.cluster_job import ClusterJob, task_topic
from medfold.cluster.connection import ClusterAddress, check_ray_installed, ray_environment
from medfold.competition import Competition, Recipe
from medfold.data import Dataset
from medfold.errors import UserError
from medfold.runs import trained_folds, write_oof
from medfold.scoring import OofScore
from medfold.system import locks
from medfold.system.reporting_processes import CrashedError, Message, ReportingProcesses, StoppedError
from medfold.terminal.command_text import variable
from medfold.terminal.console import EACH_EPOCH, console, say
from medfold.terminal.progress import live_table
from medfold.training import RunPlan, TrainingRequest, located, plan_as_text, plan_run, remove_run_if_no_fold_started

SEE = "docs/cluster.md says how to start one"
CONNECT_SECONDS = 60  # an address that answers, but is no cluster, makes Ray wait for ever


def train_on_cluster(
    competition: Competition,
    requests: list[TrainingRequest],
    recipe: Recipe,
    dataset: Dataset,
    address: ClusterAddress | None,
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

    Returns:
        The OOF score of each run; None for a run without a trained fold.

    Raises:
        UserError: errors of `plan_run`; no Ray; no cluster at the address; or a training failed, which ends all others.
    """
    check_ray_installed()
    if address:
        address.check()
    plans = [plan_run(competition, request, recipe, dataset) for request in requests]
    waiting = [plan for plan in plans if plan.trainings]
    if waiting:
        for plan in waiting:
            say("train", f"{plan.run_paths.name}: {plan_as_text(recipe, plan.missing)}")
        with ExitStack() as locked:
            for plan in waiting:
                locked.enter_context(remove_run_if_no_fold_started(plan.run_paths))
                locked.enter_context(locks.exclusive_lock(plan.run_paths.folder / "cluster", "this run is trained"))
            _run_driver(competition, waiting, address, dataset)
    return [_score(competition, plan, dataset) for plan in plans]


def _score(competition: Competition, plan: RunPlan, dataset: Dataset) -> OofScore | None:
    if not trained_folds(plan.run_paths, competition.facts.folds.k):
        return None
    return write_oof(competition.facts, plan.run_paths, dataset.train, dataset.targets)


def _run_driver(
    competition: Competition, plans: list[RunPlan], address: ClusterAddress | None, dataset: Dataset
) -> None:
    """Runs the driver until all folds are trained; the OOF score of a run is updated after each of its folds."""
    plan_of_run = {plan.run_paths.name: plan for plan in plans}
    topics = [task_topic(plan, training, len(plans)) for plan in plans for training in plan.trainings]
    where = variable("ADDRESS", address) if address else variable("ON", "ray")
    drivers = ReportingProcesses("medfold.cluster.driver", competition.project_paths.root)
    patience = threading.Timer(CONNECT_SECONDS, drivers.end)
    with live_table(["cluster", *topics]) as show:

        def listen(message: Message) -> None:
            if "connected" in message:
                patience.cancel()
            elif "run" in message:
                _score(competition, plan_of_run[message["run"]], dataset)
            else:
                show(message["topic"], message["text"])

        environment = {EACH_EPOCH: "1"} if console.is_terminal else {}
        job = ClusterJob(address, plans, plans[0].request.jobs, environment)
        with ThreadPoolExecutor(1) as pool:
            patience.start()
            try:
                pool.submit(drivers.run, job, ray_environment(address), listen).result()
            except StoppedError:
                raise UserError(f"no Ray cluster answered within {CONNECT_SECONDS} s", where, SEE) from None
            except CrashedError as error:
                raise UserError(f"the driver ended: {error}", where, "Run the same command to go on") from None
            except UserError as error:
                raise located(competition, plans[0].request, error) from None
            finally:
                patience.cancel()
                drivers.end()
