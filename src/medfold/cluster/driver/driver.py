"""The driver: a child process that is connected to Ray, `python -m medfold.cluster.driver.driver`.

Ray prints messages of its own to the standard output of the process that is connected, and may end it. So the command
starts this process, and reads its messages (`system.reporting_processes`).
"""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.exceptions import RayError

import medfold
from medfold.cluster.cluster_jobs import ClusterJob, ScanJob
from medfold.cluster.connection import ClusterAddress
from medfold.cluster.driver.capacity import NodeResources
from medfold.cluster.driver.scan_tasks import scan
from medfold.cluster.driver.training_tasks import train
from medfold.errors import UserError
from medfold.system import hardware
from medfold.system.reporting_processes import work_as_child
from medfold.terminal.command_text import variable


def main() -> int:
    """Does the job that standard input requests, and returns the exit code."""
    return work_as_child(_run_job)


def _run_job(job: ClusterJob, send: Callable[..., None]) -> None:
    with _connected(job.address):
        send(connected=True)
        resources = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        nodes = [NodeResources(int(found.get("CPU", 0)), int(found.get("GPU", 0))) for found in resources]
        if isinstance(job, ScanJob):
            scan(job, nodes, send)
        else:
            train(job, nodes, send)


@contextmanager
def _connected(address: ClusterAddress | None) -> Iterator[None]:
    """Connects to the cluster, or starts one on this machine, which ends with the block.

    The nodes get the code of this medfold: its folder, and not a wheel, whose dependencies Ray would install.

    Raises:
        UserError: Ray cannot connect, or the versions of Ray or Python differ.
    """
    runtime = {"py_modules": [str(Path(medfold.__file__).parent)], "excludes": ["__pycache__"]}
    options = {}
    if address is None:
        options = {"num_cpus": hardware.num_cores(), "include_dashboard": False}
        runtime["py_executable"] = shlex.quote(sys.executable)  # Ray itself does not quote it
    try:
        ray.init(
            "local" if address is None else str(address),
            runtime_env=runtime,
            log_to_driver=False,
            logging_level="error",
            **options,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError, RayError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        if address is None:
            fix = f"Run the command again, or leave {variable('ON', 'ray')} out to work on this machine alone"
            raise UserError(f"Ray does not start: {reason}", variable("ON", "ray"), fix) from None
        fix = "Check the token, and that this machine is a node with the same Python and Ray (docs/cluster.md)"
        raise UserError(f"cannot connect: {reason}", variable("ADDRESS", address), fix) from None
    try:
        yield
    finally:
        ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
