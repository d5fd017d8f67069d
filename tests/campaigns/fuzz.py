"""Files damaged at random: each is read, or refused in one line; none crashes, takes long or leaves its folder."""

import contextlib
import faulthandler
import importlib
import io
import os
import shutil
import time
import traceback
from functools import cache, partial
from pathlib import Path
from unittest import mock

import numpy as np

from medfold.errors import UserError, os_errors_explained
from medfold.images import worker_pool
from medfold.images.worker_pool import WorkerDied, map_in_workers
from tests.campaigns.campaign import Campaign
from tests.campaigns.fuzzed import READ, Subject
from tests.support.helpers import REPOSITORY

BLOCK = 100  # damaged files per case
LONGEST = 10.0  # seconds of the processor allowed per file
GIVEN_UP = 120  # seconds after which its process is ended
MAX_MEGABYTES = 256  # of a decoded image; the worker gets six times as much memory, and 300 MB
MODULES = ("images", "tables", "archives", "projects", "bundles")
KEPT = REPOSITORY / ".campaigns" / "fuzz"  # damaged files of cases that failed
DIARY = "This is the diary of the user, which is nobody's business."


@cache
def subjects() -> dict[str, Subject]:
    """The kinds of files, by name."""
    modules = [importlib.import_module(f"tests.campaigns.fuzzed.{name}") for name in MODULES]
    return {name: subject for module in modules for name, subject in module.SUBJECTS.items()}


def cases(seed: int, full: bool) -> list[str]:
    """A case is a kind of file, and the seed of a hundred damaged copies of it."""
    blocks = {kind: subject.blocks if full else 1 for kind, subject in subjects().items()}
    return [f"{kind} {1000 * seed + block}" for kind, count in blocks.items() for block in range(count)]


def plant(folder: Path) -> None:
    """Writes a file that nothing may read or change."""
    folder.mkdir()
    (folder / "diary.txt").write_text(DIARY)


def state(folder: Path) -> list[tuple]:
    """The files of a folder with contents and time of their last change."""
    return [(path, path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))]


def attempt(copy: int, kind: str, seed: int, given: Path, folder: Path) -> tuple[str, str]:
    """Makes and reads one damaged copy, in a folder of its own; an undamaged one for -1.

    Returns:
        `READ` or the line of the UserError; and what went wrong, or ''.
    """
    rng = np.random.default_rng([*kind.encode(), seed, copy]) if copy >= 0 else None
    place, planted = folder / "copies" / f"{copy}", state(folder / "planted")
    shutil.rmtree(place, ignore_errors=True)  # of an attempt whose process was ended
    place.mkdir()
    home, output, told = Path.cwd(), io.StringIO(), READ
    faulthandler.dump_traceback_later(GIVEN_UP, exit=True)
    try:
        os.chdir(place)
        began = time.process_time()
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), os_errors_explained():
                told = subjects()[kind].attempt(rng, given, place)
        except UserError as error:
            told = str(error)
        seconds = time.process_time() - began
        assert seconds < LONGEST, f"took {seconds:.0f} s"
        assert state(folder / "planted") == planted, "a file outside was changed"
        assert DIARY not in told + output.getvalue(), "a file outside was read"
        assert "\n" not in told, f"several lines: {told}"
    except Exception:
        return told, traceback.format_exc()
    finally:
        faulthandler.cancel_dump_traceback_later()
        os.chdir(home)
    shutil.rmtree(place)
    return told, ""


def prepare(folder: Path) -> Path:
    """The folder for undamaged files, which are written when they are needed."""
    # The workers of all cases are forked from one process, which imports these modules once, if it is started now.
    modules = [f"tests.campaigns.fuzzed.{name}" for name in MODULES]
    with contextlib.chdir(REPOSITORY), mock.patch.object(worker_pool, "PRELOADED", [*worker_pool.PRELOADED, *modules]):
        assert list(map_in_workers(str, range(1)))
    return folder


def check(case: str, given: Path, folder: Path) -> str:
    """Reads a hundred damaged files in worker processes."""
    kind, _, seed = case.rpartition(" ")
    whole = given / kind
    if not whole.is_dir():
        whole.mkdir()
        subjects()[kind].prepare(whole)
    plant(folder / "planted")
    (folder / "copies").mkdir()
    read, faults = 0, {}
    function = partial(attempt, kind=kind, seed=int(seed), given=whole, folder=folder)
    for results in map_in_workers(function, range(-1, BLOCK), MAX_MEGABYTES):
        for position, result in results:
            died = "", f"ended its process: a crash, or more than {GIVEN_UP} s"
            told, fault = died if result == WorkerDied() else result
            if position == 0 and told != READ:
                fault = fault or f"undamaged, and not read: {told}"
            if fault:
                kept = _keep(folder / "copies" / f"{position - 1}", case)
                faults.setdefault(fault.strip().splitlines()[-1], f"{fault}\n-> {kept}")
            read += told == READ
    assert sorted(path.name for path in folder.iterdir()) == ["copies", "planted"]
    assert not faults, "\n".join([f"{len(faults)} kinds of faults", *faults.values()])
    return f"{read - 1} read, {BLOCK + 1 - read} refused"


def _keep(place: Path, case: str) -> str:
    """Copies a damaged file, or the folder of it, to where it stays; returns its path as text."""
    kept = KEPT / f"{case} {place.name}"
    shutil.rmtree(kept, ignore_errors=True)
    if place.is_dir():
        shutil.copytree(place, kept, symlinks=True)
    return kept.relative_to(REPOSITORY).as_posix()


CAMPAIGN = Campaign(
    question=f"Is each damaged file read, or refused in one line ({BLOCK} copies a case)?",
    cases=cases,
    prepare=prepare,
    check=check,
)
