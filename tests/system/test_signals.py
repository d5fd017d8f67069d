"""Signals stop a process by KeyboardInterrupt, but never while it starts a child."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from medfold.system import signals
from medfold.system.signals import begin_exit, children_without_stop_signals, stop_on_signals
from tests.support.helpers import REPOSITORY

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals of POSIX")


@pytest.fixture(autouse=True)
def _handlers(monkeypatch):
    """The handlers of the tests' process are as before afterwards."""
    monkeypatch.setattr(signals, "state", signals.StopState())
    monkeypatch.setattr(signals, "SEND_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    previous = {number: signal.getsignal(number) for number in signals.STOP_SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in signals.STOP_REQUESTS:
        signal.signal(number, signal.SIG_DFL)
    stop_on_signals()
    yield
    begin_exit()  # a signal that a test drops is not sent again
    for number, handler in previous.items():
        signal.signal(number, handler)


@pytest.fixture
def other_thread():
    """A thread that receives every signal, since it blocks none."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait, daemon=True)
    thread.start()
    yield
    done.set()
    thread.join()


def send(number: int, seconds: float = 10) -> None:
    """Sends a signal to this process and waits for it: another thread may receive it, and this one notices later."""
    os.kill(os.getpid(), number)
    time.sleep(seconds)


def stopped_by(function: Callable[..., None], *arguments: object) -> int:
    """Calls a function that a signal must stop, and returns the number of the signal."""
    with pytest.raises(KeyboardInterrupt) as stopped:
        function(*arguments)
    number = begin_exit()
    del stopped  # not before, or the signal would be sent again
    return number


@pytest.mark.parametrize("number", sorted(signals.STOP_SIGNALS))
def test_signal_raises_keyboard_interrupt(number):
    assert stopped_by(send, number) == number


@pytest.mark.parametrize("number", sorted(signals.STOP_SIGNALS))
def test_signal_takes_effect_at_the_end_of_the_outermost_shield(other_thread, number):
    steps = []

    def start_children():
        with children_without_stop_signals():
            with children_without_stop_signals():
                send(number, 0.05)
                steps.append("sent")
            steps.append("inner ended")
        time.sleep(10)

    assert stopped_by(start_children) == number
    assert steps == ["sent", "inner ended"]
    with children_without_stop_signals():  # it counts once
        pass


def test_shield_of_another_thread_postpones_the_signal():
    opened, close = threading.Event(), threading.Event()

    def start_child():
        with children_without_stop_signals():
            opened.set()
            close.wait()

    def end_child():
        close.set()
        time.sleep(10)

    thread = threading.Thread(target=start_child, daemon=True)
    thread.start()
    opened.wait()
    send(signal.SIGTERM, 0.05)
    assert stopped_by(end_child) == signal.SIGTERM
    thread.join()


def test_second_request_does_not_interrupt_the_clean_up():
    steps = []

    def work():
        try:
            send(signal.SIGTERM)
        finally:
            send(signal.SIGTERM, 0.05)
            send(signal.SIGHUP, 0.05)
            steps.append("cleaned up")

    assert stopped_by(work) == signal.SIGTERM
    assert steps == ["cleaned up"]


def test_exit_code_stands_after_a_request_within_compiled_text(tmp_path):
    (tmp_path / "stopped.py").write_text(
        "import os, signal, sys\n"
        "from medfold.system.signals import stop_on_signals\n"
        "stop_on_signals()\n"
        "try:\n"
        "    exec('os.kill(os.getpid(), signal.SIGTERM)')\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(143)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in (tmp_path, REPOSITORY / "src")),
    }
    assert subprocess.run([sys.executable, "-m", "stopped"], env=environment).returncode == 143


def test_signal_that_another_thread_receives_ends_the_wait_of_the_main_thread(tmp_path):
    """The system may give a signal to any thread; Python runs the handler in the main thread, once that runs."""
    (tmp_path / "waiting.py").write_text(
        "import signal, sys, threading, time\n"
        "from medfold.system.signals import stop_on_signals\n"
        "stop_on_signals()\n"
        "def receive():\n"
        "    time.sleep(0.3)\n"
        "    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)\n"
        "    time.sleep(600)\n"
        "threading.Thread(target=receive, daemon=True).start()\n"
        "try:\n"
        "    threading.Event().wait()\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(143)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    command = [sys.executable, tmp_path / "waiting.py"]
    assert subprocess.run(command, env=environment, timeout=60).returncode == 143


@pytest.mark.parametrize("number", sorted(signals.STOP_SIGNALS))
def test_signal_in_a_finalizer_is_not_lost(number, capfd):
    class Finalized:
        def __del__(self):
            send(number, 0.05)

    def drop():
        Finalized()
        time.sleep(10)

    assert stopped_by(drop) == number
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("number", sorted(signals.STOP_SIGNALS))
def test_signal_is_sent_again_where_a_library_drops_it(number):
    def import_optional():
        try:  # noqa: SIM105
            send(number)
        except:  # noqa: E722  as libraries do
            pass

    def work():
        import_optional()
        import_optional()
        time.sleep(10)

    assert stopped_by(work) == number


def test_signal_is_not_sent_again_while_the_process_ends():
    assert stopped_by(send, signal.SIGTERM) == signal.SIGTERM
    gc.collect()
    time.sleep(0.2)


def test_other_errors_in_a_finalizer_are_shown(monkeypatch):
    class Finalized:
        def __del__(self):
            raise ValueError("lost")

    shown = []
    monkeypatch.setattr(sys, "__unraisablehook__", lambda unraisable: shown.append(str(unraisable.exc_value)))
    Finalized()
    assert shown == ["lost"]


@pytest.mark.parametrize("number", sorted(signals.STOP_SIGNALS))
def test_signal_to_a_finished_command_changes_nothing(number):
    code = (
        "import os, sys\n"
        "from medfold.system.signals import stop_on_signals\n"
        "class Last:\n"
        "    def __del__(self, kill=os.kill, own=os.getpid(), number=int(sys.argv[1])):\n"
        "        kill(own, number)\n"
        "last = Last()\n"
        "stop_on_signals()\n"
        "print('done')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(int(number))], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_ignored_hang_up_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    stop_on_signals()
    send(signal.SIGHUP, 0.05)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
