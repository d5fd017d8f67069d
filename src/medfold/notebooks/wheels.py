"""What is installed in a notebook, where no network is: the package itself, and what Kaggle's image lacks."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import medfold
from medfold import files
from medfold.competition import Competition
from medfold.console import warn
from medfold.errors import UserError
from medfold.images import FORMAT_MODULES, FORMATS

PYTHONS = ("3.11", "3.12", "3.13")  # which one Kaggle's image has changes from month to month
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
# Kaggle's image (github.com/Kaggle/docker-python) has pydicom, perhaps an old one, and no decoders of compressed DICOM.
DICOM = ("pydicom", "pylibjpeg", "pylibjpeg-openjpeg", "pyjpegls", "python-gdcm")
TIFF = ("imagecodecs",)  # what tifffile, which it has, needs for compressed ones
SOURCES = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE")
CLONE = Path(medfold.__file__).parents[2]
DATED = "315532800"  # 1980, the first that a zip archive can hold: equal code gives equal wheels


def build_wheel(out: Path) -> Path:
    """The package as a wheel; equal code gives equal bytes.

    Args:
        out: the folder to write to.

    Raises:
        UserError: it is not run from a clone, or cannot be built.
    """
    if not (CLONE / SOURCES[0]).is_file():
        raise UserError("medfold was installed without its sources", CLONE, "Run it from a clone, with make")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in SOURCES:
            shutil.copy(CLONE / name, copy)
        shutil.copytree(CLONE / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        words = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(copy / "made"), str(copy)]
        _pip(words, "medfold cannot be made a wheel", "Run: make setup", SOURCE_DATE_EPOCH=DATED)
        (wheel,) = (copy / "made").glob("*.whl")
        return Path(shutil.move(wheel, out / wheel.name))


def missing_packages(competition: Competition) -> tuple[str, ...]:
    """The packages that reading the images of a competition takes and that Kaggle's image lacks."""
    labels, images = competition.labels, competition.images
    named = [labels.file] if labels.shape == "arrays" else [*images.train, *images.test]
    patterns = [Path(pattern.partition("#")[0]) for pattern in named]
    others = {end for name, ends in FORMAT_MODULES.items() if name != "dicom" for end in ends}
    others |= {end for each in FORMATS.all() for end in each.suffixes}
    ends = {pattern.suffix.lower() for pattern in patterns}
    return (() if ends <= others else DICOM) + (TIFF if ends & {".tif", ".tiff", ".svs"} else ())


def installed_versions(names: tuple[str, ...]) -> dict[str, str]:
    """name -> version of packages, as they are installed here."""
    return {name: version(name) for name in names}


def download_wheels(names: tuple[str, ...], kept: Path, out: Path) -> list[Path]:
    """Wheels of packages, as they are installed here, for every Python that Kaggle's image may have.

    Args:
        names: of the packages.
        kept: the folder that they are kept in, once downloaded.
        out: the folder to write to.

    Raises:
        UserError: they cannot be downloaded.
    """
    found = []
    for name in names:
        exact = f"{name}=={version(name)}"
        here = kept / exact.replace("==", "-")
        if not here.is_dir():
            with files.atomic_write(here) as unfinished:
                _download(exact, unfinished)
        found += [Path(shutil.copy(wheel, out)) for wheel in sorted(here.glob("*.whl"))]
    return found


def _download(exact: str, folder: Path) -> None:
    """The wheels of a package; for some Python there may be none of its version, which is told."""
    problems = []
    for python in PYTHONS:
        words = ["download", "--no-deps", "--only-binary=:all:", "--implementation=cp"]
        words += [f"--python-version={python}", *(f"--platform={each}" for each in PLATFORMS)]
        try:
            _pip(
                [*words, "--dest", str(folder), exact],
                f"no wheel of {exact} for Python {python}",
                "Is the network there?",
            )
        except UserError as error:
            problems.append(error)
    if len(problems) == len(PYTHONS):
        raise problems[0]
    for problem in problems:
        warn("pack", f"{problem.what.partition(':')[0]}: if Kaggle's image has that one, its images cannot be read")


def _pip(words: list[str], failed: str, fix: str, **environment: str) -> None:
    command = [sys.executable, "-m", "pip", *words, "--quiet", "--disable-pip-version-check", "--no-input"]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )
    if result.returncode:
        told = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or result.stderr.splitlines()
        raise UserError(f"{failed}: {told[-1] if told else 'pip gives no reason'}", "pip", fix)
