"""Fixtures of all tests: a project folder with a small phantom, an imitated Kaggle; no network but 127.0.0.1."""

import gc
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import threadpoolctl
from filelock import FileLock
from hypothesis import settings

from medfold.errors import UserError
from medfold.system.path_checks import LINKED_DATA
from medfold.terminal.command_text import BY_MAKE
from tests.support import budgets
from tests.support.finished_runs import finished_run
from tests.support.helpers import replaced
from tests.support.histology import HISTOLOGY, histology
from tests.support.kaggle_server import KEY, TOKEN, KaggleServer
from tests.support.small_project import SMALL, add_base_recipes, add_competition, copy_project

os.environ.update(dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"))
# `make test ORDER=7` would pass its variables to every make that a test runs.
for name in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "PYTHON", "ORDER"):
    os.environ.pop(name, None)
os.environ[BY_MAKE] = "1"  # messages name make commands and variables; see the fixture `typed_medfold`

# Each of the processes that share the tests gets one thread for linear algebra: two would wait for each other's cores.
threadpoolctl.threadpool_limits(1)

# Number of examples of a property test: the same ten in each run of the tests; then more in tests/campaigns, with a
# seed: "all" in the small share that `make test-all` runs, "campaign" in `make campaigns`.
settings.register_profile("test", max_examples=10, deadline=None, derandomize=True, database=None)
settings.register_profile("all", max_examples=50, deadline=None, database=None)
settings.register_profile("campaign", max_examples=500, deadline=None, database=None)
settings.load_profile("test")


def pytest_collection_finish():
    """Exempts what the tests share, above all Keras and thousands of test functions, from each garbage collection."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter, config):
    """Prints the minutes of each area at the end of `make test-all`."""
    is_whole_suite = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.markexpr
    if is_whole_suite:
        budgets.show(terminalreporter, getattr(config.option, "numprocesses", None) or 1)


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch):
    """Fails a test that connects to another machine."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _no_linked_data(monkeypatch):
    """What a test allows links in raw/ to lead into is forgotten at its end."""
    monkeypatch.setenv(LINKED_DATA, "")


@pytest.fixture(autouse=True)
def _no_plugins_of_an_earlier_test():
    """The open competition of a test, and its plugins.py, are forgotten at the end."""
    yield
    if plugins := sys.modules.get("medfold.competition.plugins"):
        plugins.use_plugins(None)


@pytest.fixture
def typed_medfold(monkeypatch):
    """Messages name commands and options of `medfold`, as if the user had not typed make."""
    monkeypatch.delenv(BY_MAKE)


@pytest.fixture
def project_folder(tmp_path, monkeypatch) -> Path:
    """A project folder as working directory, with the base recipes and the small phantom; its path has a space."""
    root = tmp_path / "my project"
    add_competition(root, "small", SMALL)
    add_base_recipes(root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def small(project_folder):
    """The project of the small phantom; nothing is downloaded yet."""
    from medfold.competition import Competition

    return Competition.open("small")


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Once:
    """`once(name, make)` returns a folder that `make(folder)` filled once for all processes of this test session.

    It must only be read or copied.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each process has its own folder in the shared one
        base = base.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, unfinished = base / "once" / name, base / "once" / f"{name}, unfinished"
        folder.parent.mkdir(exist_ok=True)
        with FileLock(base / "once" / f"{name}.lock"):
            if not folder.is_dir():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def folded_once(once) -> Path:
    """A project with the small phantom: its folds, and its images as the baseline takes them; only to read or copy."""
    from medfold.commands.folds import make_folds
    from medfold.competition import Competition, load_recipe

    def make(root: Path) -> None:
        add_competition(root, "small", SMALL)
        add_base_recipes(root)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            competition = Competition.open("small")
            make_folds(competition, preparation=load_recipe(competition.paths, "baseline", {}).preparation)

    return once("folded", make)


@pytest.fixture(scope="session")
def trained_once(once, folded_once) -> Path:
    """The same with all folds trained; only to be read or copied."""
    from medfold.commands.train import train
    from medfold.competition import Competition

    def make(root: Path) -> None:
        shutil.copytree(folded_once, root, dirs_exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            train(Competition.open("small"))

    return once("trained", make)


@pytest.fixture(scope="session")
def histology_once(once) -> Callable[[str], Path]:
    """`histology_once("csv")` returns a project with the data of a competition on Kaggle and a finished run.

    The argument is the `upload` of its facts. The project must only be read or copied.
    """
    from medfold.commands.download import download
    from medfold.competition import Competition

    def make(root: Path, upload: str) -> None:
        add_competition(root, "histology", replaced(HISTOLOGY, ("upload: csv", f"upload: {upload}")))
        add_base_recipes(root)
        for name, data in histology(24, 8, "png")[0].items():
            (root / "shipped" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "shipped" / name).write_bytes(data)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            competition = Competition.open("histology")
            download(competition, path=root / "shipped")
            finished_run(competition)
        shutil.rmtree(root / "shipped")

    return lambda upload: once(f"histology {upload}", lambda root: make(root, upload))


@pytest.fixture
def folded(folded_once, tmp_path, monkeypatch):
    """The small phantom with its folds, in a new copy of the project."""
    from medfold.competition import Competition

    copy_project(folded_once, tmp_path, monkeypatch)
    return Competition.open("small")


@pytest.fixture
def trained(trained_once, tmp_path, monkeypatch):
    """The small phantom with all folds trained, in a new copy of the project."""
    from medfold.competition import Competition

    copy_project(trained_once, tmp_path, monkeypatch)
    return Competition.open("small")


@pytest.fixture
def shown(tmp_path, monkeypatch, capfd, caplog) -> Iterator["Shown"]:
    """What a test shows. At its end, no output, error, log or file may contain a secret of the imitated Kaggle."""
    shown = Shown(capfd)
    original_init = UserError.__init__

    def record_error(self, *arguments, **options):
        original_init(self, *arguments, **options)
        shown.texts.append(str(self))

    monkeypatch.setattr(UserError, "__init__", record_error)
    yield shown
    shown.said()
    shown.texts.append(caplog.text)
    home = tmp_path / "home"
    files_left = [path for path in tmp_path.rglob("*") if path.is_file() and home not in path.parents]
    for secret in (TOKEN, KEY, "X-Goog-Signature"):
        assert secret not in "".join(shown.texts)
        assert [path for path in files_left if secret.encode() in path.read_bytes()] == []


class Shown:
    """Collects what a test prints, and the errors that it raises."""

    def __init__(self, capture):
        self._capture = capture
        self.texts: list[str] = []

    def said(self) -> str:
        """Returns the output since the last call."""
        self.texts.append("".join(self._capture.readouterr()))
        return self.texts[-1]


@pytest.fixture
def kaggle(tmp_path, monkeypatch, shown) -> Iterator[KaggleServer]:
    """An imitated Kaggle that can fail on demand, set up by environment variables; waiting is skipped.

    `home` is the user's home folder, `waits` holds the skipped waits in seconds, `said()` returns the output since its
    last call.
    """
    home = tmp_path / "home"
    home.mkdir()
    with KaggleServer() as server:
        server.home, server.waits, server.said = home, [], shown.said
        for name, value in server.environment(home).items():
            monkeypatch.setenv(name, value)
        for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR", "HTTP_PROXY", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("medfold.system.waiting.pause", server.waits.append)
        yield server


@pytest.fixture(scope="session")
def browser():
    """Opens pages: `with browser.open(path, width=390, dark=True) as page`; without a browser, the test is skipped."""
    from tests.support.browser import browser_or_skip

    return browser_or_skip()


@pytest.fixture
def in_this_process(monkeypatch):
    """Trackers are called in this process: the child process that usually does it takes a second to start."""
    from medfold.tracking import write

    monkeypatch.setattr(write, "run_in_subprocess", lambda what, function, *arguments: function(*arguments))


@pytest.fixture
def two_runs(folded):
    """The small phantom with two finished runs, `weak` and `strong`."""
    finished_run(folded, "weak", 0.3)
    finished_run(folded, "strong", 2.0)
    return folded


@pytest.fixture
def submitted(folded, capsys):
    """Two runs: the first submitted alone, then both as an ensemble."""
    from medfold.commands.submit import submit

    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    submit(folded, run_names=["one"])
    submit(folded, run_names=["one", "two"], method="mean")
    capsys.readouterr()
    return folded
