"""Wheels for notebooks without internet: medfold itself, and the packages that Kaggle's image lacks."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import medfold
from medfold.competition import CompetitionFacts
from medfold.errors import UserError
from medfold.images import may_be_dicom
from medfold.notebooks.packed_files import check_no_link, copy_file
from medfold.system import files
from medfold.terminal.command_text import setup_command
from medfold.terminal.console import warn

PYTHON_VERSIONS = ("3.11", "3.12", "3.13")  # the version in Kaggle's image changes from month to month
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
# Kaggle's image (github.com/Kaggle/docker-python) has pydicom, perhaps an old one, and no decoders of compressed DICOM.
DICOM_PACKAGES = ("pydicom", "pylibjpeg", "pylibjpeg-openjpeg", "pyjpegls", "python-gdcm")
TIFF_PACKAGES = ("imagecodecs",)  # needed by tifffile, which the image has, for compressed files
SOURCES = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE")
REPOSITORY = Path(medfold.__file__).parents[2]
LOCK = REPOSITORY / "requirements.lock"
SOURCE_DATE = "315532800"  # 1980, the first date that a zip archive can hold: equal code gives equal wheels


def build_wheel(out: Path) -> Path:
    """Builds medfold as a wheel; equal code gives equal bytes.

    Args:
        out: folder to write the wheel to.

    Returns:
        The path of the wheel.

    Raises:
        UserError: medfold does not run from a clone, the build fails, or a source file is a link.
    """
    if not (REPOSITORY / SOURCES[0]).is_file():
        raise UserError("medfold was installed without its sources", REPOSITORY, "Run it from a clone, with make")
    for path in (*(REPOSITORY / name for name in SOURCES), *(REPOSITORY / "src").rglob("*")):
        check_no_link(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in SOURCES:
            shutil.copy(REPOSITORY / name, copy)
        shutil.copytree(REPOSITORY / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        arguments = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(copy / "made"), str(copy)]
        _pip(
            arguments, "the wheel of medfold cannot be built", f"Run: {setup_command()}", SOURCE_DATE_EPOCH=SOURCE_DATE
        )
        (wheel,) = (copy / "made").glob("*.whl")
        return Path(shutil.move(wheel, out / wheel.name))


def missing_packages(facts: CompetitionFacts) -> tuple[str, ...]:
    """Returns the packages that are needed to read the competition's images and missing in Kaggle's image."""
    labels = facts.labels
    images = facts.images
    sources = [labels.file] if labels.layout == "arrays" else [*images.train, *images.test]
    patterns = [Path(pattern.partition("#")[0]) for pattern in sources]
    extensions = {pattern.suffix.lower() for pattern in patterns}
    dicom = DICOM_PACKAGES if any(map(may_be_dicom, extensions)) else ()
    tiff = TIFF_PACKAGES if extensions & {".tif", ".tiff", ".svs"} else ()
    return dicom + tiff


def installed_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Returns the installed version of each package, by name."""
    return {name: version(name) for name in names}


def download_wheels(names: tuple[str, ...], cache: Path, out: Path) -> list[Path]:
    """Downloads wheels of packages, in the versions installed here, for every Python that Kaggle's image may have.

    Args:
        names: names of packages.
        cache: folder that keeps downloaded wheels.
        out: folder to copy the wheels to.

    Returns:
        The paths of the copied wheels.

    Raises:
        UserError: wheels cannot be downloaded.
    """
    copies = []
    for name in names:
        requirement = f"{name}=={version(name)}"
        package_cache = cache / requirement.replace("==", "-")
        if not package_cache.is_dir():
            with files.atomic_write(package_cache) as unfinished:
                _download(requirement, unfinished)
        for wheel in sorted(package_cache.glob(f"{name.replace('-', '_')}-*.whl")):
            copies.append(out / wheel.name)
            copy_file(wheel, copies[-1])
    return copies


def _download(requirement: str, folder: Path) -> None:
    """Downloads the wheels of one package, checked by the hashes of the lock; warns of Python versions without one."""
    problems = []
    locked = _locked_lines(requirement)
    if not locked:
        warn("pack", f"{requirement} is not in {LOCK.name}: downloaded without a check of its hash")
    for python in PYTHON_VERSIONS:
        arguments = ["download", "--no-deps", "--only-binary=:all:", "--implementation=cp"]
        arguments += [f"--python-version={python}", *(f"--platform={platform}" for platform in PLATFORMS)]
        with tempfile.TemporaryDirectory() as other:
            requirements = Path(other) / "requirements.txt"
            requirements.write_text(locked or requirement, encoding="utf-8")
            arguments += [*(["--require-hashes"] if locked else []), "--requirement", str(requirements)]
            problem = f"no wheel of {requirement} for Python {python}"
            try:
                _pip([*arguments, "--dest", str(folder)], problem, "Check the network")
            except UserError as error:
                problems.append(error)
    if len(problems) == len(PYTHON_VERSIONS):
        raise problems[0]
    for problem in problems:
        warn("pack", f"{problem.what.partition(':')[0]}: if Kaggle runs that version, the images cannot be read")


def _locked_lines(requirement: str) -> str:
    """Returns the lines of a package in the lock, version and hashes; '' if the lock has another version or none."""
    lock = LOCK.read_text(encoding="utf-8") if LOCK.is_file() else ""
    match = re.search(rf"^{re.escape(requirement)}(?: ;.*)? \\\n(?:    --hash=.*\n)+", lock, re.MULTILINE)
    return match[0] if match else ""


def _pip(arguments: list[str], problem: str, fix: str, **environment: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check", "--no-input"]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )
    if result.returncode:
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or result.stderr.splitlines()
        raise UserError(f"{problem}: {errors[-1] if errors else 'reason unknown'}", "pip", fix)
