"""How many tasks a cluster runs at the same time, and with how many threads each."""

from dataclasses import dataclass

from medfold.errors import UserError
from medfold.terminal.command_text import variable


@dataclass(frozen=True)
class Capacity:
    """How many equal tasks a cluster runs at the same time, and the threads and GPU of each.

    Every task uses the same number of threads, since that number affects the last digits of results.

    Args:
        num_parallel: how many tasks run at the same time.
        threads: CPU threads of each.
        uses_gpu: True if each has a GPU.
    """

    num_parallel: int
    threads: int
    uses_gpu: bool


def plan_capacity(nodes: list[tuple[int, int]], jobs: int | None, num_tasks: int) -> Capacity:
    """Divides the cores and GPUs of a cluster among equal tasks that run at the same time.

    Args:
        nodes: cores and GPUs of each node.
        jobs: how many tasks at the same time; None for one per GPU, else one per core.
        num_tasks: number of all tasks, done or not.

    Raises:
        UserError: no node has a core.
    """
    num_cores, num_gpus = (sum(values) for values in zip(*nodes, strict=True)) if nodes else (0, 0)
    if num_cores < 1:
        raise UserError("no node of the cluster has a core", variable("ON", "ray"), "Start nodes with --num-cpus")
    num_parallel = min(jobs or num_gpus or num_cores, num_tasks, num_gpus or num_cores)
    num_parallel = max(1, min(num_parallel, _num_fitting(nodes, 1, num_gpus > 0)))
    most = max(cores for cores, _ in nodes)
    threads = max(count for count in range(1, most + 1) if _num_fitting(nodes, count, num_gpus > 0) >= num_parallel)
    return Capacity(num_parallel, threads, num_gpus > 0)


def _num_fitting(nodes: list[tuple[int, int]], threads: int, uses_gpu: bool) -> int:
    """Returns how many tasks with this number of threads fit on all nodes at the same time."""
    return sum(min(cores // threads, gpus) if uses_gpu else cores // threads for cores, gpus in nodes)
