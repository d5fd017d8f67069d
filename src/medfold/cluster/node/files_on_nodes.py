"""Files of the driver's machine that nodes read: through a shared folder, or copied once into the node's cache."""

import os
import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import ray
from filelock import FileLock, Timeout
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from medfold.cluster.node.messages import HEARTBEAT_SECONDS, CopyProgress, FilePart, Heartbeat, Message
from medfold.errors import UserError
from medfold.system import files
from medfold.system.hashes import sha256
from medfold.terminal.console import format_size

PART_BYTES = 16 * 10**6
PARTS_UNDER_WAY = 4  # while one is written, the next ones are read


@dataclass(frozen=True)
class SharedFile:
    """A file of the driver's machine.

    Args:
        path: absolute path on that machine.
        size: bytes.
        changed: time of its last change in nanoseconds since 1970.
    """

    path: str
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> "SharedFile":
        """Describes a file of this machine."""
        path = path.absolute()
        status = path.stat()
        return cls(str(path), status.st_size, status.st_mtime_ns)

    def is_here(self) -> bool:
        """Returns True if this machine sees the same file under the same path: in a shared folder."""
        try:
            return SharedFile.of(Path(self.path)) == self
        except OSError:
            return False


class FileServer:
    """Reads the files that nodes may have, and no others; runs on the driver's machine, as an actor of Ray.

    Args:
        shared: the files.
        folder: a folder with more of them. Defaults to none.
    """

    def __init__(self, shared: list[SharedFile], folder: str | None = None):
        self._paths = {file.path for file in shared}
        self._folder = folder
        self._hashes: dict[str, str] = {}

    def sha256(self, file: SharedFile) -> str:
        """Returns the hash of a file; it is computed once."""
        if file.path not in self._hashes:
            self._hashes[file.path] = sha256(self.checked_path(file))
        return self._hashes[file.path]

    def read(self, file: SharedFile, offset: int) -> bytes:
        """Returns the PART_BYTES of a file from `offset` on."""
        with self.checked_path(file).open("rb") as opened:
            opened.seek(offset)
            return opened.read(PART_BYTES)

    def checked_path(self, file: SharedFile) -> Path:
        """Returns the path of a file, after checking that it is shared and unchanged.

        Raises:
            UserError: the file is not shared with the nodes, or has changed since.
        """
        path = Path(file.path)
        is_in_folder = self._folder and ".." not in path.parts and path.is_relative_to(self._folder)
        if file.path not in self._paths and not is_in_folder:
            raise UserError("a node asked for a file that it is not given", file.path, "Please report it")
        if not file.is_here():
            raise UserError("changed while nodes were working with it", file.path, "Run the same command again")
        return path


def start_file_server(shared: list[SharedFile], folder: Path | None = None) -> "ray.actor.ActorHandle":
    """Starts the FileServer on this machine.

    Args:
        shared: the files.
        folder: a folder with more of them. Defaults to none.
    """
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(FileServer).options(num_cpus=0, max_concurrency=8, scheduling_strategy=here)
    return actor.remote(shared, str(folder.absolute()) if folder else None)


def cache_folder() -> Path:
    """Returns the cache of a node: a folder with copied files, which may be removed while no command runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medfold"


def fetch(file_server: Any, file: SharedFile) -> Generator[Message, None, Path]:
    """Finds a file on this node, and copies it into the cache if it is neither shared nor there.

    Args:
        file_server: the FileServer, as a handle of Ray.
        file: the file.

    Yields:
        Heartbeats, and how much is copied.

    Returns:
        The path of the file on this node.

    Raises:
        UserError: too little disk space, or the copy differs from the file.
    """
    if file.is_here():
        return Path(file.path)
    digest = yield from wait_for(file_server.sha256.remote(file))
    path = cache_folder() / digest
    if path.is_file():
        return path
    cache_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    while True:
        try:
            with lock.acquire(timeout=HEARTBEAT_SECONDS):
                if not path.is_file():
                    yield from _copy(file_server, file, path)
            return path
        except Timeout:
            yield CopyProgress(f"waiting for another task that copies {Path(file.path).name}")


def wait_for(result: Any) -> Generator[Message, None, Any]:
    """Yields heartbeats until a result of another process is there, and returns it."""
    while not ray.wait([result], timeout=HEARTBEAT_SECONDS)[0]:
        yield Heartbeat()
    return ray.get(result)


def _copy(file_server: Any, file: SharedFile, path: Path) -> Iterator[Message]:
    """Copies a file part by part, a few of them under way, and checks its hash."""
    free = shutil.disk_usage(path.parent).free
    name = Path(file.path).name
    if free < file.size:
        what = f"{format_size(free)} free on the disk of this node, {name} needs {format_size(file.size)}"
        raise UserError(what, path.parent, "Free some, or set XDG_CACHE_HOME to a larger disk before `ray start`")
    offsets = iter(range(0, file.size, PART_BYTES))
    under_way = [file_server.read.remote(file, offset) for offset in islice(offsets, PARTS_UNDER_WAY)]
    with files.atomic_write(path) as temporary:
        with temporary.open("wb") as copy:
            while under_way:
                copy.write((yield from wait_for(under_way.pop(0))))
                yield CopyProgress(f"{name}: {format_size(copy.tell())} of {format_size(file.size)} copied")
                if (offset := next(offsets, None)) is not None:
                    under_way.append(file_server.read.remote(file, offset))
        if sha256(temporary) != path.name:
            raise UserError(f"{name} was damaged on its way to this node", file.path, "Run the same command again")


def send_file(kind: str, path: Path) -> Iterator[Message]:
    """Yields the contents of a small or large file as messages, for the driver.

    Args:
        kind: CHECKPOINT or RESULTS.
        path: the file; it may be replaced meanwhile, then the old contents are sent.
    """
    with path.open("rb") as file:
        part = file.read(PART_BYTES)
        while True:
            following = file.read(PART_BYTES)
            yield FilePart(kind, part, is_last=not following)
            if not following:
                return
            part = following
