"""What all tasks of Ray have in common on a node: their messages, their temporary folder, the versions of packages.

Nothing is written to the project folder on a node: files reach the driver as messages, and only the driver puts them in
place. So a node that was taken for lost, and comes back, changes nothing.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import ray
from filelock import FileLock, Timeout

from medfold.cluster.node.files_on_nodes import cache_folder
from medfold.cluster.node.messages import Crashed, Failed, Message, Started
from medfold.errors import UserError, explain_os_error
from medfold.system import files
from medfold.system.reporting_processes import CrashedError, StoppedError
from medfold.terminal.command_text import setup_command
from medfold.text import shorten_list


def reported(work: Callable[[Path], Iterator[Message]]) -> Iterator[Message]:
    """Yields the messages of a task from the first to the last one: an error or the death of a child is one, too.

    Args:
        work: a function of a temporary folder; it yields the messages in between, and may end with an error.
    """
    yield Started(ray.util.get_node_ip_address(), os.nice(0) if hasattr(os, "nice") else 0)
    try:
        with work_folder() as folder:
            yield from work(folder)
    except OSError as error:
        yield Failed(
            explain_os_error(error) or UserError(str(error), this_node(), "Run the same command again to continue")
        )
    except UserError as error:
        yield Failed(error)
    except (CrashedError, StoppedError) as error:
        yield Crashed(str(error))


def check_versions(versions: dict[str, str]) -> None:
    """Checks that the packages which decide about bytes are those of the driver's machine.

    Raises:
        UserError: a version differs, or a package is missing.
    """
    different = []
    for name, expected in versions.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        if found != expected:
            different.append(f"{name} {found}, not {expected}")
    if different:
        fix = f"Run there, with the same version of medfold: {setup_command()}"
        raise UserError(f"has other packages: {shorten_list(different)}", this_node(), fix)


@contextmanager
def work_folder() -> Iterator[Path]:
    """Makes a temporary folder, and removes those that killed tasks left on this node."""
    base = cache_folder() / "work"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    for lock_file in base.glob("*.lock"):
        try:
            with FileLock(lock_file, timeout=0):
                files.remove(lock_file.with_suffix(""))
                files.remove(lock_file)
        except Timeout:
            continue
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
    lock_file = folder.with_name(f"{folder.name}.lock")
    with FileLock(lock_file):
        try:
            yield folder
        finally:
            files.remove(folder)
            files.remove(lock_file)


def this_node() -> str:
    """Returns this node as text for a message."""
    return f"node {ray.util.get_node_ip_address()}"
