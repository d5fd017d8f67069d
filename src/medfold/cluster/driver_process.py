"""The driver as a child process of a command: started, listened to, ended; its errors are reported to the user."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from medfold.cluster.cluster_jobs import ClusterJob
from medfold.cluster.connection import ClusterAddress, check_path_of_python, check_ray_installed, ray_environment
from medfold.errors import UserError
from medfold.system.reporting_processes import ChildMessage, CrashedError, ReportingProcesses, StoppedError
from medfold.system.threads import items_from_thread
from medfold.terminal.command_text import variable

CONNECT_SECONDS = 60  # for Ray to connect: at an address that is no cluster it would wait for ever


def check_cluster(address: ClusterAddress | None) -> None:
    """Checks what can be checked without Ray, before any work.

    Raises:
        UserError: Ray is not installed, or cannot start Python on this node, or nothing answers at the address.
    """
    check_ray_installed()
    if address:
        address.check()
        check_path_of_python()


def driver_messages(root: Path, job: ClusterJob) -> Iterator[ChildMessage]:
    """Runs the driver until its job is done; it ends with the generator.

    Args:
        root: the project folder.
        job: runs to train, or images to scan.

    Yields:
        The messages of the driver.

    Raises:
        UserError: no cluster at the address, or the job failed.
    """
    drivers = ReportingProcesses("medfold.cluster.driver.driver", root)
    where = variable("ADDRESS", job.address) if job.address else variable("ON", "ray")
    is_connected = False
    messages = items_from_thread(partial(drivers.run, job, ray_environment(job.address)), CONNECT_SECONDS)
    try:
        for message in messages:
            match message:
                case None if not is_connected:
                    fix = "docs/cluster.md says how to start one"
                    raise UserError(f"no Ray cluster answered within {CONNECT_SECONDS} s", where, fix)
                case {"connected": True}:
                    is_connected = True
                case dict():
                    yield message
    except (CrashedError, StoppedError) as error:
        raise UserError(f"the driver ended: {error}", where, "Run the same command again to continue") from None
    finally:
        drivers.end()
