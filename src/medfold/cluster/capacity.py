"""How many trainings fit on the nodes of a cluster, and with how many threads each."""

from dataclasses import dataclass

from medfold.errors import UserError
from medfold.terminal.command_text import variable


@dataclass(frozen=True)
class Share:
    """Share of each training; the same on all nodes, since the number of threads decides the last digits of results.

    Args:
        num_jobs: how many trainings run at the same time.
        threads: CPU threads of each.
        uses_gpu: True if each has a GPU.
    """

    num_jobs: int
    threads: int
    uses_gpu: bool


def divide(nodes: list[tuple[int, int]], jobs: int | None, num_trainings: int) -> Share:
    """Divides a cluster among trainings: as many threads for each as fit for all that run at the same time.

    Args:
        nodes: cores and GPUs of each node.
        jobs: how many trainings at the same time; None for one per GPU, else one per core.
        num_trainings: number of all trainings, done or not.

    Raises:
        UserError: no node has a core.
    """
    num_cores, num_gpus = (sum(values) for values in zip(*nodes, strict=True)) if nodes else (0, 0)
    if num_cores < 1:
        raise UserError("no node of the cluster has a core", variable("ON", "ray"), "Start nodes with --num-cpus")
    num_jobs = min(jobs or num_gpus or num_cores, num_trainings, num_gpus or num_cores)
    num_jobs = max(1, min(num_jobs, _num_fitting(nodes, 1, num_gpus > 0)))
    most = max(cores for cores, _ in nodes)
    threads = max(count for count in range(1, most + 1) if _num_fitting(nodes, count, num_gpus > 0) >= num_jobs)
    return Share(num_jobs, threads, num_gpus > 0)


def _num_fitting(nodes: list[tuple[int, int]], threads: int, uses_gpu: bool) -> int:
    """Returns how many trainings of so many threads fit on all nodes at the same time."""
    return sum(min(cores // threads, gpus) if uses_gpu else cores // threads for cores, gpus in nodes)
