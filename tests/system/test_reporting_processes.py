"""Child processes that report by messages, with real processes."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from medfold.errors import MissingFileError, SettingError, UserError
from medfold.system.reporting_processes import CrashedError, ReportingProcesses, StoppedError

CHILD = """
import os, sys, time
from pathlib import Path
from medfold.errors import MissingFileError, SettingError, UserError
from medfold.system.reporting_processes import work_as_child
from medfold.terminal.console import say

class OwnError(UserError):
    pass

def work(request, send):
    print("printed by a library")
    send(value=request["value"])
    say("fold 1", "AUC 0.9")
    exec(request.get("code", ""), globals())

if __name__ == "__main__":
    sys.exit(work_as_child(work))
"""


@pytest.fixture
def children(tmp_path):
    (tmp_path / "reporting_child.py").write_text(CHILD)
    started = ReportingProcesses("reporting_child", tmp_path)
    yield started
    started.end()


def run(children, request):
    messages = []
    path = os.pathsep.join([str(children._folder), *sys.path])
    children.run(request, {"PYTHONPATH": path}, messages.append)
    return messages


def test_messages_and_lines_arrive_in_order(children):
    assert run(children, {"value": [1, "a"]}) == [{"value": [1, "a"]}, {"topic": "fold 1", "text": "AUC 0.9"}]


def test_large_requests_pass_through_the_pipe(children):
    text = "x" * 1_000_000
    assert run(children, {"value": 1, "filler": text})[0] == {"value": 1}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise UserError('what', Path('a/b'), 'fix')", UserError("what", Path("a/b"), "fix")),
        (
            "raise SettingError('what', 'training.epochs', 'fix', 'fold 1')",
            SettingError("what", "training.epochs", "fix", "fold 1"),
        ),
        ("raise MissingFileError(Path('a'), 'fix', 'labels.file')", MissingFileError(Path("a"), "fix", "labels.file")),
    ],
)
def test_errors_arrive_with_their_parts(children, code, error):
    with pytest.raises(UserError) as raised:
        run(children, {"value": 1, "code": code})
    assert (type(raised.value), raised.value.args) == (type(error), error.args)


def test_error_of_a_class_that_the_parent_does_not_know_arrives_as_user_error(children):
    with pytest.raises(UserError) as raised:
        run(children, {"value": 1, "code": "raise OwnError('what', 'where', 'fix')"})
    assert (type(raised.value), str(raised.value)) == (UserError, "where: what. fix")


def test_full_disk_is_explained(children):
    with pytest.raises(UserError, match="no disk space left"):
        run(children, {"value": 1, "code": "raise OSError(28, 'No space left on device', 'w.h5')"})


@pytest.mark.parametrize(
    ("code", "last_line"),
    [("raise RuntimeError('bad pixels')", "RuntimeError: bad pixels"), ("os._exit(7)", "printed by a library")],
)
def test_crash_is_reported_by_the_last_line(children, code, last_line):
    with pytest.raises(CrashedError) as raised:
        run(children, {"value": 1, "code": code})
    assert str(raised.value) == last_line


def test_killed_child_has_a_code(children):
    with pytest.raises(CrashedError, match="printed|exit code -9"):
        run(children, {"value": 1, "code": "os.kill(os.getpid(), 9)"})


def test_end_stops_a_running_child(children):
    begun = threading.Event()
    stopped = []

    def work():
        path = os.pathsep.join([str(children._folder), *sys.path])
        try:
            children.run({"value": 1, "code": "time.sleep(600)"}, {"PYTHONPATH": path}, lambda message: begun.set())
        except StoppedError:
            stopped.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    children.end()
    thread.join(60)
    assert stopped == [True]
    with pytest.raises(StoppedError):
        run(children, {"value": 1})


@pytest.mark.slow
def test_child_ends_when_its_parent_is_killed(children, tmp_path):
    parent = """
import sys
from pathlib import Path
from medfold.system.reporting_processes import ReportingProcesses
code = "Path('pid').write_text(str(os.getpid())); time.sleep(600)"
ReportingProcesses("reporting_child", Path.cwd()).run({"value": 1, "code": code}, {}, print)
"""
    import subprocess

    path = os.pathsep.join([str(tmp_path), *sys.path])
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    end = time.monotonic() + 60
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    process.kill()
    process.wait()
    child = int((tmp_path / "pid").read_text())
    while Path(f"/proc/{child}").exists() if Path("/proc").is_dir() else _is_alive(child):
        assert time.monotonic() < end
        time.sleep(0.05)


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
