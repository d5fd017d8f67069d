"""SIGINT, SIGTERM and SIGHUP at a random moment in each stage: one line, the exit code of the signal, nothing left."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medfold.system import signals
from tests.campaigns import pipeline
from tests.campaigns.campaign import Campaign
from tests.campaigns.pipeline import STAGES, Undisturbed

CASES = dict.fromkeys(STAGES, 6) | {"train": 12, "parallel": 12}
SHARE = {"prepare": 1, "train": 1, "parallel": 1}
RECEIVERS = {  # a terminal sends to all processes of a command; `kill` to one; a batch system to one or to all
    "SIGINT": ("group",),
    "SIGTERM": ("process", "group"),
    "SIGHUP": ("group", "process"),
}
STARTED = 0.6  # seconds: Python itself starts, and no code of medfold runs yet


def cases(seed: int, full: bool) -> list[str]:
    """A case is a stage, the share of its time after which the signal is sent, the signal, and who receives it."""
    generator, drawn = random.Random(seed), []
    for stage, number, share in pipeline.random_shares(CASES if full else SHARE, seed, 0, 0.95):
        name = list(RECEIVERS)[number % len(RECEIVERS)] if full else generator.choice(list(RECEIVERS))
        drawn.append(f"{stage} {share} {name} {generator.choice(RECEIVERS[name])}")
    return drawn


def check(case: str, given: dict[str, Undisturbed], folder: Path) -> str:
    """Stops a stage by a signal, looks for what is left, runs the stage again, and compares."""
    stage, share, name, receiver = case.split()
    number = getattr(signal, name)
    root = shutil.copytree(given[stage].before, folder / "my project")
    with private_shared_memory(folder / "shared") as shared, received_signals():
        process = pipeline.start(stage, root, own_group=True, shared_memory=shared, PYTHONUNBUFFERED="1")
        before, output = _stop(
            process, number, receiver, STARTED + float(share) * max(given[stage].seconds - STARTED, 0)
        )
        _expect_nothing_left(root, process.pid, shared)
    assert process.returncode in (0, 128 + number), f"ended with {process.returncode}: {output[-800:]}"
    if process.returncode == 0:  # it had nothing left to do, or has lost the signal
        assert output == before, f"went on: {output[len(before) :][:800]}"
    assert "Traceback" not in output, output[-800:]
    assert "failed" not in output, output[-800:]
    if process.returncode:
        last = output.strip().splitlines()[-1]
        assert last.startswith("medfold: stopped"), output[-800:]
        assert (name in last) is (name != "SIGINT"), last
    pipeline.finish(stage, root)
    pipeline.check_result(stage, root, given[stage])
    return f"exit code {process.returncode}, then equal bytes"


def _stop(process: subprocess.Popen, number: signal.Signals, receiver: str, seconds: float) -> tuple[str, str]:
    """Sends a signal after some seconds, unless the process has ended; returns what it printed before, and in all."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as running:
        before = (running.stdout or b"").decode()
        (os.killpg if receiver == "group" else os.kill)(process.pid, number)
        output, _ = process.communicate(timeout=120)
        return before, output
    return output, output


@contextmanager
def received_signals() -> Iterator[None]:
    """Processes that are started within the block receive signals that this one ignores, as SIGHUP under `nohup`."""
    previous = {number: signal.getsignal(number) for number in signals.STOP_SIGNALS}
    try:
        for number in signals.STOP_SIGNALS:
            signal.signal(number, signal.default_int_handler)  # a new process resets a handler, and keeps SIG_IGN
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def private_shared_memory(folder: Path) -> Iterator[Path | None]:
    """A file system to stand for /dev/shm, that no other process uses; None where mounting is not allowed."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _expect_nothing_left(root: Path, group: int, shared: Path | None) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:  # the tracker of shared memory ends after the command
        left = sorted(path.name for path in shared.iterdir()) if shared else []
        processes = subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True).stdout.split()
        if not left and not processes:
            break
        time.sleep(0.1)
    assert not left, f"left in shared memory: {left[:3]}"
    assert not processes, f"processes that go on: {processes}"
    temporaries = sorted(path.name for path in root.rglob("*.tmp"))
    assert not temporaries, f"temporary files: {temporaries[:3]}"


CAMPAIGN = Campaign(
    question="Does a stage that a signal stops end in one line, leave nothing, and go on to equal bytes?",
    cases=cases,
    prepare=lambda folder: pipeline.prepare(),
    check=check,
)
