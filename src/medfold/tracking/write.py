"""Writes results of a run to trackers: those that a tracker does not have yet, in a child process.

tracking.json in the folder of the run records what each tracker got. It is written after the tracker's own files; a
kill between the two makes the tracker replace them, which adds no points. A tracker that fails is reported in one
line, and stops no training.
"""

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from medfold.competition import Competition
from medfold.errors import UserError, os_errors_explained
from medfold.paths import ProjectPaths, RunPaths
from medfold.project_root import display_path
from medfold.system import json_files, locks
from medfold.system.hashes import fingerprint
from medfold.system.native_output import silence_native_output
from medfold.system.processes import run_in_subprocess
from medfold.terminal.command_text import install_command, variable
from medfold.terminal.console import say, warn
from medfold.text import did_you_mean, shorten_text
from medfold.tracking.results import TrackedResult, names_of, results_of_run
from medfold.tracking.trackers import TRACKERS, Tracker

TOPIC = "tracking"
MAX_LENGTH = 160  # letters of the message of a library
CREDENTIALS = re.compile(r"//[^/@\s]*@")  # user and password in an address


class Tracking:
    """The trackers of one command.

    Args:
        competition: the competition of the runs.
        names: names of the trackers. One that lacks a package is left out, with a line.

    Raises:
        UserError: there is no tracker of a name.
    """

    def __init__(self, competition: Competition, names: Sequence[str]):
        for name in names:
            if name not in TRACKERS:
                known = TRACKERS.names()
                what = f"unknown tracker '{name}'{did_you_mean(name, known)}"
                raise UserError(what, variable("TRACK", " ".join(names)), f"Known: {', '.join(known)}")
        self._competition = competition
        self._written_runs: set[tuple[str, str]] = set()  # tracker and run, to which this command wrote
        self._usable = [name for name in dict.fromkeys(names) if _is_usable(name, TRACKERS[name])]

    def write(self, run_name: str) -> None:
        """Writes the results of a run that the trackers do not have yet; a tracker that fails is not tried again."""
        if not self._usable:
            return
        try:
            with os_errors_explained():
                if results := results_of_run(self._competition, run_name):
                    self._usable = [name for name in self._usable if self._write_to(name, results)]
        except UserError as error:
            self._usable = []
            warn(TOPIC, f"nothing is written any more: {error}")

    def _write_to(self, name: str, results: list[TrackedResult]) -> bool:
        """Writes the results that a tracker does not have yet, and returns True if it took them all."""
        run_paths = results[0].run_paths
        with locks.lock(run_paths.tracking):
            written = _read_record(run_paths)
            missing = [result for result in results if not _is_written(name, result, written.get(name, {}))]
            where = _as_text(TRACKERS[name].destination(results[0]))
            if not missing:
                if (name, run_paths.name) not in self._written_runs:
                    say(TOPIC, f"{name}: up to date, {where}")
                return True
            try:
                num_written, problem = run_in_subprocess(
                    TOPIC, _write_results, self._competition.project_paths, run_paths.competition, name, missing
                )
            except UserError as error:
                num_written, problem = 0, str(error)
            done = missing[:num_written]
            marks = {result.name: _mark(name, result) for result in done}
            json_files.write({**written, name: {**written.get(name, {}), **marks}}, run_paths.tracking)
        if done:
            self._written_runs.add((name, run_paths.name))
            say(TOPIC, f"{name}: wrote {', '.join(names_of(done))} to {where}")
        if problem:
            rest = ", ".join(names_of(missing[num_written:]))
            warn(TOPIC, f"{name}: {rest} not written to {where} ({problem}). The same command tries again")
        return not problem


def _is_usable(name: str, tracker: Tracker) -> bool:
    """Returns True if the packages of a tracker are installed; else prints how to install them."""
    from packaging.requirements import Requirement  # not at the start of every training

    for requirement in map(Requirement, tracker.packages):
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            problem = f"{requirement.name} is not installed"
        else:
            if requirement.specifier.contains(installed, prereleases=True):
                continue
            problem = f"{requirement.name} is {installed}, needed {requirement.specifier}"
        warn(TOPIC, f"{name}: nothing is written to it, {problem}. Run: {install_command(*tracker.packages)}")
        return False
    return True


def _read_record(run_paths: RunPaths) -> dict[str, dict[str, str]]:
    """Returns what each tracker got: a hash by name of the result, by tracker."""
    return json_files.read(run_paths.tracking, schema=dict[str, dict[str, str]]) or {}


def _is_written(name: str, result: TrackedResult, marks: dict[str, str]) -> bool:
    destination = TRACKERS[name].destination(result)
    is_there = not isinstance(destination, Path) or destination.exists()
    return is_there and marks.get(result.name) == _mark(name, result)


def _mark(name: str, result: TrackedResult) -> str:
    """Returns the hash of a result and of where it was written; of an address only the hash, as it may hold a password.

    The place of the project folder does not count: it may be moved.
    """
    destination = TRACKERS[name].destination(result)
    if isinstance(destination, Path):
        destination = destination.relative_to(result.run_paths.root).as_posix()
    return fingerprint([result.fingerprint, destination])


def _as_text(destination: Path | str) -> str:
    return display_path(destination) if isinstance(destination, Path) else CREDENTIALS.sub("//", destination)


def _write_results(
    project_paths: ProjectPaths, competition_name: str, name: str, results: list[TrackedResult]
) -> tuple[int, str]:
    """Writes results, in a child process: libraries of trackers start threads, log, and are slow to import.

    Returns:
        The number of results that were written, and why the next one was not; '' if all were.
    """
    Competition.open(competition_name, project_paths)  # its plugins.py may define the tracker
    for number, result in enumerate(results):
        try:
            with silence_native_output():
                TRACKERS[name].write(result)
        except Exception as error:  # whatever a library raises, the training goes on
            return number, describe_error(error)
    return len(results), ""


def describe_error(error: BaseException) -> str:
    """Describes an error of a library in a line: the reason of the system if there is one, as 'Connection refused'."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    text = " ".join(str(error).split()) or type(error).__name__
    return shorten_text(CREDENTIALS.sub("//", text), MAX_LENGTH)
