"""What the driver of a cluster is to train."""

from dataclasses import dataclass

from medfold.cluster.connection import ClusterAddress
from medfold.training import FoldTraining, RunPlan


@dataclass(frozen=True)
class ClusterJob:
    """What the driver trains.

    Args:
        address: the cluster; None for one on this machine.
        plans: the runs with their folds to train; they share the store.
        jobs: how many folds to train at the same time; None for as many as fit.
        environment: environment variables of the trainings.
    """

    address: ClusterAddress | None
    plans: list[RunPlan]
    jobs: int | None
    environment: dict[str, str]


def task_topic(plan: RunPlan, training: FoldTraining, num_runs: int) -> str:
    """Returns the name of a fold on the terminal: with its run if there are several."""
    return f"{plan.run_paths.name} {training.topic}" if num_runs > 1 else training.topic
