"""How many tasks a cluster runs at the same time, and with how many threads each."""

from dataclasses import dataclass
from typing import NamedTuple

from medfold.errors import UserError
from medfold.terminal.command_text import variable


class NodeResources(NamedTuple):
    """What a node of the cluster gives to tasks: cores and GPUs."""

    cores: int
    gpus: int


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


def plan_capacity(nodes: list[NodeResources], max_parallel: int | None, num_tasks: int) -> Capacity:
    """Divides the cores and GPUs of a cluster among equal tasks that run at the same time.

    Args:
        nodes: the cores and GPUs that each node of the cluster gives to tasks.
        max_parallel: how many tasks at the same time; None for one per GPU, else one per core.
        num_tasks: number of all tasks, done or not.

    Raises:
        UserError: no node has a core.
    """
    num_cores, num_gpus = sum(node.cores for node in nodes), sum(node.gpus for node in nodes)
    if num_cores < 1:
        raise UserError("no node of the cluster has a core", variable("ON", "ray"), "Start nodes with --num-cpus")
    num_parallel = min(max_parallel or num_gpus or num_cores, num_tasks, num_gpus or num_cores)
    num_parallel = max(1, min(num_parallel, _num_fitting(nodes, 1, num_gpus > 0)))
    most = max(node.cores for node in nodes)
    threads = max(count for count in range(1, most + 1) if _num_fitting(nodes, count, num_gpus > 0) >= num_parallel)
    return Capacity(num_parallel, threads, num_gpus > 0)


def _num_fitting(nodes: list[NodeResources], threads: int, uses_gpu: bool) -> int:
    """Returns how many tasks with this number of threads fit on all nodes at the same time."""
    return sum(min(node.cores // threads, node.gpus) if uses_gpu else node.cores // threads for node in nodes)
