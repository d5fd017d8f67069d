"""The driver: a child process that is connected to Ray, `python -m medfold.cluster.driver`.

Ray prints messages of its own to the standard output of the process that is connected, and may end it. So the command
starts this process, and reads its messages (`system.reporting_processes`).
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.exceptions import AuthenticationError

import medfold
from medfold.cluster.cluster_jobs import ClusterJob, ScanJob
from medfold.cluster.connection import ClusterAddress
from medfold.cluster.scan_tasks import scan
from medfold.cluster.training_tasks import train
from medfold.errors import UserError
from medfold.system import hardware
from medfold.system.reporting_processes import report
from medfold.terminal.command_text import variable


def main() -> int:
    """Does the job that standard input requests, and returns the exit code."""
    return report(_do)


def _do(job: ClusterJob, send: Callable[..., None]) -> None:
    with _connected(job.address):
        send(connected=True)
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        resources = [(int(found.get("CPU", 0)), int(found.get("GPU", 0))) for found in nodes]
        if isinstance(job, ScanJob):
            scan(job, resources, send)
        else:
            train(job, resources, send)


@contextmanager
def _connected(address: ClusterAddress | None) -> Iterator[None]:
    """Connects to the cluster, or starts one on this machine, which ends with the block.

    The nodes get the code of this medfold: its folder, and not a wheel, whose dependencies Ray would install.

    Raises:
        UserError: Ray cannot connect, or the versions of Ray or Python differ.
    """
    options = {"num_cpus": hardware.num_cores(), "include_dashboard": False} if address is None else {}
    try:
        ray.init(
            "local" if address is None else str(address),
            runtime_env={"py_modules": [str(Path(medfold.__file__).parent)], "excludes": ["__pycache__"]},
            log_to_driver=False,
            logging_level="error",
            **options,
        )
    except AuthenticationError as error:
        fix = "Check RAY_AUTH_TOKEN, or the file ~/.ray/auth_token"
        raise UserError(f"refused the token ({_first_line(error)})", variable("ADDRESS", address), fix) from None
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = variable("ADDRESS", address) if address else variable("ON", "ray")
        fix = "This machine must be a node of the cluster, with the same Python and Ray (docs/cluster.md)"
        raise UserError(f"cannot connect: {_first_line(error)}", where, fix) from None
    try:
        yield
    finally:
        ray.shutdown()


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


if __name__ == "__main__":
    sys.exit(main())
