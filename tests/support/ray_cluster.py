"""A real Ray cluster on loopback addresses, in a network namespace of its own: nodes that can be killed or frozen."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from medfold.cluster.connection import RAY_SETTINGS
from tests.support.helpers import REPOSITORY

HEAD, PORT = "127.0.0.2", 7001
TOKEN = "medfold-test-token-" + 16 * "0"
NODE = "MEDFOLD_TEST_NODE"  # environment variable of all processes of a node
GUARD_SECONDS = 600  # for what takes seconds to a minute


def missing_for_clusters() -> str:
    """Returns what this machine lacks for a cluster of several nodes; '' if nothing."""
    if importlib.util.find_spec("ray") is None:
        return "Ray is not installed"
    if shutil.which("unshare") is None or shutil.which("nsenter") is None or shutil.which("ip") is None:
        return "no unshare, nsenter or ip: there are no network namespaces"
    tried = subprocess.run(["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"], capture_output=True)
    return "" if tried.returncode == 0 else f"network namespaces are not allowed: {tried.stderr.decode().strip()}"


needs_cluster = pytest.mark.skipif(bool(missing := missing_for_clusters()), reason=missing or "never")


class RayCluster:
    """A head and nodes, which all commands in `run` reach, and nothing else does.

    Args:
        folder: folder for the caches of the nodes.
    """

    address = f"{HEAD}:{PORT}"

    def __init__(self, folder: Path):
        self._folder = folder
        self._temporary = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))  # paths of sockets must be short
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        until = time.monotonic() + GUARD_SECONDS
        while _namespace_of(self._holder.pid) == _namespace_of(os.getpid()):
            assert time.monotonic() < until
            time.sleep(0.01)
        subprocess.run(self._inside(["ip", "link", "set", "lo", "up"]), check=True)
        self._starters: list[subprocess.Popen] = []
        self._python = Path(sys.executable)
        if " " in sys.executable:  # Ray does not quote it
            (self._temporary / "venv").symlink_to(sys.prefix)
            self._python = self._temporary / "venv" / "bin" / "python"

    def _inside(self, command: list[str]) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", *command]

    def environment(self, **more: str) -> dict[str, str]:
        """Returns the environment of commands and nodes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TF_NUM", "OMP_"))}
        ray = {**RAY_SETTINGS, "RAY_AUTH_TOKEN": TOKEN, "RAY_TMPDIR": str(self._temporary)}
        return {**kept, **ray, "PYTHONPATH": str(REPOSITORY / "src"), **more}

    def start_node(self, ip: str, num_cpus: int, hidden: Path | None = None) -> None:
        """Starts a node, the first one as the head.

        Args:
            ip: its address, in 127.0.0.0/8.
            num_cpus: number of its cores.
            hidden: a folder that it cannot see, as on another machine. Defaults to none.
        """
        place = (
            ["--head", f"--port={PORT}", "--include-dashboard=false"] if ip == HEAD else [f"--address={self.address}"]
        )
        ray = [str(self._python), "-m", "ray.scripts.scripts", "start", *place, f"--node-ip-address={ip}", "--block"]
        ray += [f"--num-cpus={num_cpus}", "--object-store-memory=100000000"]
        if hidden:
            ray = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(hidden), *ray]
        log = self._folder / f"{ip}.log"
        with log.open("wb") as output:
            environment = self.environment(**{NODE: ip, "XDG_CACHE_HOME": str(self.cache(ip).parent)})
            process = subprocess.Popen(self._inside(ray), env=environment, stdout=output, stderr=output)
        self._starters.append(process)
        self.wait_for(lambda: b"Ray runtime started" in log.read_bytes() or process.poll() is not None, log)
        assert process.poll() is None, log.read_text()

    def cache(self, ip: str) -> Path:
        """Returns the folder of copied files of a node."""
        return self._folder / f"cache-{ip}" / "medfold"

    def start(self, words: list[str], project: Path, **environment: str) -> subprocess.Popen:
        """Starts a command of medfold on the head."""
        return self.start_program([str(self._python), "-m", "medfold", *words], project, **environment)

    def start_program(self, command: list[str], project: Path, **environment: str) -> subprocess.Popen:
        """Starts a program on the head."""
        return subprocess.Popen(
            self._inside(command),
            cwd=project,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, ip: str, number: signal.Signals) -> None:
        """Sends a signal to all processes of a node."""
        for process in self._processes(ip):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def kill_node(self, ip: str) -> None:
        """Ends a node as a power failure does."""
        while self._processes(ip):
            self.send(ip, signal.SIGKILL)
            time.sleep(0.05)

    def trainings(self) -> list[psutil.Process]:
        """Returns the processes that train in the namespace."""
        return [process for process in self._all() if "medfold.training.child" in _command_of(process)]

    def drivers(self) -> list[psutil.Process]:
        """Returns the processes that are connected to Ray for a command."""
        return [process for process in self._all() if "medfold.cluster.driver.driver" in _command_of(process)]

    def _processes(self, ip: str) -> list[psutil.Process]:
        return [process for process in self._all() if _environment_of(process).get(NODE) == ip]

    def _all(self) -> list[psutil.Process]:
        inside = _namespace_of(self._holder.pid)
        found = []
        for process in psutil.process_iter():
            try:
                if _namespace_of(process.pid) == inside and process.pid != self._holder.pid:
                    found.append(process)
            except OSError:
                continue
        return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]

    def wait_for(self, condition, log: Path | None = None) -> None:
        """Waits until a condition holds."""
        until = time.monotonic() + GUARD_SECONDS
        while not condition():
            assert time.monotonic() < until, log.read_text() if log else ""
            time.sleep(0.1)

    def close(self) -> None:
        """Kills all processes in the namespace."""
        while left := self._all():
            for process in left:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
            time.sleep(0.05)
        for process in (*self._starters, self._holder):
            process.kill()
            process.wait()
        shutil.rmtree(self._temporary, ignore_errors=True)


def _namespace_of(pid: int) -> Path:
    return Path(f"/proc/{pid}/ns/net").readlink()


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _environment_of(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}
