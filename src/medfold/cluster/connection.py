"""Address, token and settings of a Ray cluster, checked before Ray starts, which would wait for ever."""

import importlib.util
import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from medfold.errors import UserError
from medfold.terminal.command_text import install_command, variable

RAY = "ray>=2.59,<3"  # the extra `ray` of pyproject.toml
CONNECT_SECONDS = 5  # for a TCP connection to the head
# Settings of Ray, for the driver, and to be exported before `ray start` on every machine (docs/cluster.md).
RAY_SETTINGS = {
    "RAY_AUTH_MODE": "token",  # without it, whoever reaches a port of the cluster can run code there
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # Ray's 15 makes trainings wait for all other programs
    # A node that does not answer is lost after 9 to 16 seconds instead of minutes.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_grpc_client_keepalive_time_ms": "5000",
    "RAY_grpc_client_keepalive_timeout_ms": "5000",
}
QUIET = {"RAY_SCHEDULER_EVENTS": "0"}  # for the driver only
ONLY_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # on Linux, too, Ray then listens to 127.0.0.1 only
TOKEN_FILE = Path(".ray") / "auth_token"  # in the home folder


@dataclass(frozen=True)
class ClusterAddress:
    """Address of the head of a Ray cluster.

    Args:
        host: name or IP address.
        port: port.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "ClusterAddress":
        """Reads `host:port`.

        Raises:
            UserError: the text is not of the form host:port.
        """
        host, _, port = text.rpartition(":")
        if not host or "/" in host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            what = "expected host:port, the address that `ray start --head` prints"
            raise UserError(what, variable("ADDRESS", text), f"Example: {variable('ADDRESS', '10.0.0.1:6379')}")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def check(self) -> None:
        """Checks that the address answers, and that there is a token for it.

        Raises:
            UserError: the address does not answer, or there is no token for it.
        """
        try:
            socket.create_connection((self.host, self.port), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            reason = error.strerror or str(error)
            fix = "Give the address that `ray start --head` printed, and check that the head runs (docs/cluster.md)"
            raise UserError(f"no answer: {reason}", variable("ADDRESS", self), fix) from None
        if os.environ.get("RAY_AUTH_MODE", "token") == "token" and not _has_token():
            fix = "Set RAY_AUTH_TOKEN to the token of the cluster, or copy its file ~/.ray/auth_token (docs/cluster.md)"
            raise UserError("no token for the cluster", variable("ADDRESS", self), fix)


def _has_token() -> bool:
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return (Path(named) if named else Path.home() / TOKEN_FILE).is_file()


def check_ray_installed() -> None:
    """Refuses to go on without Ray.

    Raises:
        UserError: Ray is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        fix = f"Install it on all machines: {install_command(RAY)}"
        raise UserError("Ray is not installed", variable("ON", "ray"), fix)


def check_path_of_python() -> None:
    """Checks that the path of Python has no space: Ray does not quote it, and tasks on nodes would wait for ever.

    Raises:
        UserError: the path has a space.
    """
    if " " in sys.executable:
        fix = (
            "Clone medfold on all machines into a folder without a space in its path; without "
            f"{variable('ADDRESS')} it works here"
        )
        raise UserError("nodes cannot start Python, as its path has a space", sys.executable, fix)


def ray_environment(address: ClusterAddress | None) -> dict[str, str]:
    """Returns the environment variables of the driver; what the user has set stays.

    Args:
        address: the cluster; None for a cluster on this machine, which only this machine reaches, with a new token.
    """
    settings = RAY_SETTINGS | QUIET
    if address is None:
        return settings | ONLY_LOOPBACK | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return {name: os.environ.get(name, value) for name, value in settings.items()}
