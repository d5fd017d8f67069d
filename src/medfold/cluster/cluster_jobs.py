"""Jobs for the driver of a cluster: runs to train, or images to scan."""

from dataclasses import dataclass
from pathlib import Path

from medfold.cluster.connection import ClusterAddress
from medfold.images import ScanSettings
from medfold.training import FoldInputs, RunPlan


@dataclass(frozen=True)
class TrainingJob:
    """Runs to train.

    Args:
        address: the cluster; None for one on this machine.
        plans: the runs with their folds to train; they share the store.
        max_parallel: how many folds to train at the same time; None for as many as fit.
        environment: environment variables of the trainings.
    """

    address: ClusterAddress | None
    plans: list[RunPlan]
    max_parallel: int | None
    environment: dict[str, str]


@dataclass(frozen=True)
class ScanJob:
    """Images to scan.

    Args:
        address: the cluster; None for one on this machine.
        images: row and path of each image.
        settings: what to compute for each image, with the files to fill on this machine.
        plugins: plugins.py of the competition; need not exist.
    """

    address: ClusterAddress | None
    images: list[tuple[int, str]]
    settings: ScanSettings
    plugins: Path


ClusterJob = TrainingJob | ScanJob


def task_topic(plan: RunPlan, fold: FoldInputs, num_runs: int) -> str:
    """Returns the name of a fold on the terminal: with its run if there are several."""
    return f"{plan.run_paths.name} {fold.topic}" if num_runs > 1 else fold.topic
