"""`make doctor`: checks what medfold needs on this machine and on Kaggle."""

import os
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from medfold.commands.setup import STAMP, SUPPORTED, is_supported
from medfold.competition import Competition, CompetitionFacts, kaggle_slug
from medfold.errors import UserError
from medfold.kaggle import KaggleCompetitions, KaggleSession
from medfold.system.native_output import silence_native_output
from medfold.terminal.command_text import command, setup_command
from medfold.terminal.console import format_size, say, warn
from medfold.text import shorten_list

SHOWN_PACKAGES = ("tensorflow", "keras", "albumentations", "kaggle")
SHOWN_EXTRAS = ("tables", "ray", "tensorboard", "mlflow", "wandb")  # extras in pyproject.toml
MIN_FREE_BYTES = 20e9  # bytes; free disk space for one competition


@dataclass(frozen=True)
class CheckResult:
    """The result of one check: a line of the output.

    Args:
        topic: what was checked, such as Python or GPU.
        level: `ok`; `warning`: works, but needs attention; `error`: must be repaired.
        text: what was found, and what to do.
    """

    topic: str
    level: Literal["ok", "warning", "error"]
    text: str


def doctor(competition: Competition) -> list[CheckResult]:
    """Checks the installation, and prints each result as soon as it is known."""
    results = []
    for result in examine(competition):
        results.append(result)
        (say if result.level == "ok" else warn)(result.topic, f"{result.level:<8}{result.text}")
    return results


def examine(competition: Competition) -> Iterator[CheckResult]:
    """Checks Python, packages, extras, OpenCV, GPU, disk, Kaggle credentials and the account's status there."""
    yield _python()
    yield _packages(competition.project_paths.root / "requirements.txt")
    yield from _extras(competition.project_paths.root / "pyproject.toml")
    yield _opencv()
    yield _gpu()
    yield _disk(competition.project_paths.root)
    yield from _kaggle(competition)


def _python() -> CheckResult:
    is_right = is_supported(sys.version_info)
    text = f"{'.'.join(map(str, sys.version_info[:3]))}, {sys.executable}"
    return CheckResult("Python", "ok" if is_right else "error", text if is_right else f"{text}: {SUPPORTED} is needed")


def _packages(file: Path) -> CheckResult:
    if not file.is_file():
        return CheckResult("packages", "warning", f"no {file.name} here to compare with")
    lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    problems = []
    versions = {}
    for requirement in (Requirement(line) for line in lines if line):
        try:
            versions[requirement.name] = version(requirement.name)
        except PackageNotFoundError:
            problems.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(versions[requirement.name], prereleases=True):
            problems.append(f"{requirement.name} is {versions[requirement.name]}, needed {requirement.specifier}")
    if problems:
        return CheckResult(
            "packages", "error", f"{shorten_list(problems)}. Run: {setup_command()}, or pip install -r requirements.txt"
        )
    shown = ", ".join(f"{name} {versions[name]}" for name in SHOWN_PACKAGES if name in versions)
    text = f"{shown}; all {len(versions)} as required"
    if not (Path(sys.prefix) / Path(STAMP).name).is_file():
        text = f"{text} in {file.name}. Not installed from requirements.lock: no hashes were checked"
        return CheckResult("packages", "warning", text)
    return CheckResult("packages", "ok", text)


def _extras(file: Path) -> Iterator[CheckResult]:
    """Names the optional packages that are installed, and those that are not."""
    if not file.is_file():
        return
    extras = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    installed, missing, wrong = [], [], []
    for requirement in (Requirement(text) for name in SHOWN_EXTRAS for text in extras.get(name, ())):
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            missing.append(requirement.name)
            continue
        is_wrong = not requirement.specifier.contains(found, prereleases=True)
        needed = f" (needed {requirement.specifier})" if is_wrong else ""
        (wrong if is_wrong else installed).append(f"{requirement.name} {found}{needed}")
    text = ", ".join([*installed, *wrong]) or "none installed"
    if missing:
        text += f"; not installed, and needed only for what uses them: {', '.join(missing)}"
    yield CheckResult("extras", "warning" if wrong else "ok", text)


def _opencv() -> CheckResult:
    try:
        import cv2
    except ImportError as error:
        return CheckResult("OpenCV", "error", f"cannot be imported ({error}). Run: {setup_command()}")
    versions = {}
    for name in ("opencv-python", "opencv-python-headless"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    if len(set(versions.values())) > 1:
        names = ", ".join(f"{name} {number}" for name, number in versions.items())
        return CheckResult("OpenCV", "warning", f"{names} overwrite each other. Run: {setup_command()}")
    return CheckResult("OpenCV", "ok", f"cv2 {cv2.__version__}")


def _gpu() -> CheckResult:
    try:
        with silence_native_output(show_on_error=True):
            from medfold.models import gpus

            names = gpus()
    except ImportError as error:
        return CheckResult("GPU", "error", f"TensorFlow cannot be imported ({error}). Run: {setup_command()}")
    if names:
        return CheckResult("GPU", "ok", ", ".join(names))
    text = f"none found; training uses the {os.cpu_count()} CPU cores. With CUDA: {setup_command(gpu=True)}"
    return CheckResult("GPU", "warning", text)


def _disk(root: Path) -> CheckResult:
    data = root / "data" if (root / "data").is_dir() else root
    free = shutil.disk_usage(data).free
    text = f"{format_size(free)} free for data/ and runs/"
    if free > MIN_FREE_BYTES:
        return CheckResult("disk", "ok", text)
    advice = f"large competitions need {format_size(MIN_FREE_BYTES)} or more: {command('data')} lists what can go"
    return CheckResult("disk", "warning", f"{text}; {advice}")


def _kaggle(competition: Competition) -> Iterator[CheckResult]:
    facts = competition.facts
    needs_kaggle = facts.source["kind"] == "kaggle" or facts.upload != "none"
    try:
        session = KaggleSession.connect()
    except UserError as error:
        text = str(error) if needs_kaggle else f"not needed for {competition.paths.name}; for Kaggle: {error}"
        yield CheckResult("Kaggle", "error" if needs_kaggle else "warning", text)
        return
    yield CheckResult("Kaggle", "ok", session.account)
    if not needs_kaggle:
        yield CheckResult("joined", "ok", "this competition needs no account")
        return
    try:
        yield from _competition_status(KaggleCompetitions(session), facts)
    except UserError as error:
        yield CheckResult("joined", "error", str(error))


def _competition_status(competitions: KaggleCompetitions, facts: CompetitionFacts) -> Iterator[CheckResult]:
    info = competitions.joined(kaggle_slug(facts))
    yield CheckResult("joined", "ok", info.slug)
    if info.deadline:
        day = f"{info.deadline:%Y-%m-%d %H:%M} UTC"
        level, text = (
            ("warning", f"{day}, over; most competitions still score late submissions")
            if info.has_ended
            else ("ok", day)
        )
        yield CheckResult("deadline", level, text)
    if info.submissions_disabled:
        yield CheckResult("submit", "warning", "Kaggle takes no submissions: see the page of the competition")
    else:
        kind = "notebooks only" if info.notebooks_only else "files"
        left = competitions.limits(info.slug).num_left
        limit = (
            "number of submissions left today is unknown" if left is None else f"{left} submissions left today (UTC)"
        )
        yield CheckResult("submit", "warning" if left == 0 else "ok", f"{limit}, {kind}")
