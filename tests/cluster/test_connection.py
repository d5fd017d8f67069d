"""Address and token of a cluster, checked before Ray is asked; the settings that Ray gets."""

import re
import socket
import sys

import pytest

from medfold.cluster import connection
from medfold.cluster.connection import (
    RAY_SETTINGS,
    ClusterAddress,
    check_path_of_python,
    check_ray_installed,
    ray_environment,
)
from tests.support.helpers import REPOSITORY, refused


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield ClusterAddress("127.0.0.1", server.getsockname()[1])


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)


def test_address_is_read():
    assert ClusterAddress.parse("10.0.0.1:6379") == ClusterAddress("10.0.0.1", 6379)
    assert str(ClusterAddress.parse("head.local:1")) == "head.local:1"


@pytest.mark.parametrize("text", ["auto", "10.0.0.1", ":6379", "ray://10.0.0.1:10001", "a:0", "a:65536", "a:b", "a:٣"])
def test_anything_else_is_refused(text):
    with refused("expected host:port"):
        ClusterAddress.parse(text)


def test_address_where_nobody_listens_is_refused(monkeypatch, listening):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "token")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with refused(f"ADDRESS=127.0.0.1:{port}: no answer: Connection refused"):
        ClusterAddress("127.0.0.1", port).check()


def test_cluster_without_a_token_is_refused(listening, tmp_path, monkeypatch):
    with refused("no token for the cluster.*RAY_AUTH_TOKEN"):
        listening.check()
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "none"))
    with refused("no token"):
        listening.check()


def test_token_is_found_where_ray_looks_for_it(listening, tmp_path, monkeypatch):
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("token")
    listening.check()
    (tmp_path / "token").write_text("token")
    (tmp_path / ".ray" / "auth_token").unlink()
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    listening.check()


def test_user_may_run_a_cluster_without_tokens(listening, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    listening.check()
    assert ray_environment(listening)["RAY_AUTH_MODE"] == "disabled"


def test_missing_ray_is_reported(monkeypatch):
    monkeypatch.setattr(connection.importlib.util, "find_spec", lambda name: None)
    with refused("ON=ray: Ray is not installed. Install it on all machines"):
        check_ray_installed()


def test_cluster_on_this_machine_listens_to_it_alone_with_a_new_token(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    environment = ray_environment(None)
    assert environment["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
    assert environment["RAY_AUTH_MODE"] == "token"
    assert environment["RAY_USAGE_STATS_ENABLED"] == "0"
    assert len(environment["RAY_AUTH_TOKEN"]) == 64
    assert environment["RAY_AUTH_TOKEN"] != ray_environment(None)["RAY_AUTH_TOKEN"]


def test_settings_of_the_user_stay(monkeypatch):
    monkeypatch.setenv("RAY_health_check_period_ms", "5000")
    environment = ray_environment(ClusterAddress("10.0.0.1", 6379))
    assert environment["RAY_health_check_period_ms"] == "5000"
    assert environment["RAY_worker_niceness"] == "0"
    assert "RAY_AUTH_TOKEN" not in environment


def test_file_of_the_docs_has_the_same_settings():
    text = (REPOSITORY / "docs" / "ray.env").read_text(encoding="utf-8")
    exported = dict(re.findall(r"^export (RAY_\w+)=(\S+)", text, re.MULTILINE))
    assert exported.pop("RAY_AUTH_TOKEN") == "..."
    assert exported == RAY_SETTINGS


def test_path_of_python_with_a_space_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/home/me/my clone/.venv/bin/python")
    with refused(
        "^/home/me/my clone/.venv/bin/python: nodes cannot start Python, as its path has a space. Clone medfold"
    ):
        check_path_of_python()
    monkeypatch.setattr(sys, "executable", "/home/me/clone/.venv/bin/python")
    check_path_of_python()
