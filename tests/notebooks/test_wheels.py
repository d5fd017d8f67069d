"""Wheels that a notebook installs: medfold itself, and packages that Kaggle lacks."""

import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from medfold.notebooks import wheels
from medfold.system.hashes import sha256
from tests.support import kaggle_image
from tests.support.helpers import competition_facts, refused


@pytest.mark.parametrize(
    ("pattern", "missing"),
    [
        ("test/{id}.png", ()),
        ("test/{id}.JPEG", ()),
        ("test-image.hdf5#{id}", ()),
        ("test/{id}.dcm", wheels.DICOM_PACKAGES),
        ("test/{patient}/{id}", wheels.DICOM_PACKAGES),  # files without suffix, named by their UID
        ("test/{id}.tif", wheels.TIFF_PACKAGES),
    ],
)
def test_missing_packages_depend_on_image_format(pattern, missing):
    assert wheels.missing_packages(competition_facts(images={"train": pattern, "test": pattern})) == missing


def test_npz_images_need_no_packages():
    arrays = competition_facts(
        labels={"targets": ["a"], "layout": "arrays", "file": "images.npz"}, images={"train": "{id}", "test": "{id}"}
    )
    assert wheels.missing_packages(arrays) == ()


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder with a wheel of pylibjpeg, packed again, in place of PyPI; and the folder `out`."""
    kaggle_image.repacked("pylibjpeg", tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "out").mkdir()
    return tmp_path / "index"


@pytest.mark.slow
def test_wheel_that_the_lock_does_not_have_is_not_packed(index, tmp_path):
    with refused("no wheel of pylibjpeg==.* for Python 3.11: ERROR: .*(HASHES|hash|version)"):
        wheels.download_wheels(("pylibjpeg",), tmp_path / "kept", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_wheel_by_the_hashes_of_the_lock_is_packed(index, tmp_path, monkeypatch, capsys):
    (wheel,) = index.glob("*.whl")
    lines = f"pylibjpeg=={version('pylibjpeg')} \\\n    --hash=sha256:{sha256(wheel)}\n    # via medfold\n"
    monkeypatch.setattr(wheels, "LOCK", tmp_path / "lock")
    (tmp_path / "lock").write_text(f"numpy==1.0 \\\n    --hash=sha256:0\n{lines}")
    assert wheels.download_wheels(("pylibjpeg",), tmp_path / "kept", tmp_path / "out")
    assert "hash" not in capsys.readouterr().out


def test_stray_file_and_link_among_kept_wheels_are_not_packed(tmp_path):
    kept = tmp_path / "kept" / f"pylibjpeg-{version('pylibjpeg')}"
    kept.mkdir(parents=True)
    (kept / "token.whl").write_text("KGAT_0")
    assert wheels.download_wheels(("pylibjpeg",), tmp_path / "kept", tmp_path) == []
    (kept / "pylibjpeg-1-py3-none-any.whl").symlink_to(kept / "token.whl")
    with refused("pylibjpeg-1-py3-none-any.whl: a link"):
        wheels.download_wheels(("pylibjpeg",), tmp_path / "kept", tmp_path)


def test_link_among_the_sources_is_refused(tmp_path, monkeypatch):
    for name in wheels.SOURCES:
        (tmp_path / name).write_text("")
    (tmp_path / "src" / "medfold").mkdir(parents=True)
    (tmp_path / "src" / "medfold" / "token.py").symlink_to(tmp_path / "README.md")
    monkeypatch.setattr(wheels, "REPOSITORY", tmp_path)
    with refused("token.py: a link, and files for Kaggle are not read through links"):
        wheels.build_wheel(tmp_path)


@pytest.mark.slow
def test_wheels_are_downloaded_once(index, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(wheels, "LOCK", tmp_path / "no lock")
    first = wheels.download_wheels(("pylibjpeg",), tmp_path / "kept", tmp_path / "out")
    shutil.rmtree(tmp_path / "index")
    second = wheels.download_wheels(("pylibjpeg",), tmp_path / "kept", tmp_path / "out")
    assert first == second == [path for path in (tmp_path / "out").iterdir() if path.suffix == ".whl"]
    assert "is not in no lock: downloaded without a check of its hash" in capsys.readouterr().out


def test_python_version_without_wheel_warns(tmp_path, monkeypatch, capsys):
    def pip(command, **settings):
        if "--python-version=3.11" in command:
            return subprocess.CompletedProcess(command, 1, stderr="ERROR: no matching distribution")
        folder = Path(command[command.index("--dest") + 1])
        folder.mkdir(exist_ok=True)
        (folder / "pylibjpeg-1-py3-none-any.whl").write_bytes(b"")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", pip)
    (tmp_path / "out").mkdir()
    (wheel,) = wheels.download_wheels(("pylibjpeg",), tmp_path / "kept", tmp_path / "out")
    assert wheel.is_file()
    assert "for Python 3.11: if Kaggle runs that version, the images cannot be read" in capsys.readouterr().out


@pytest.mark.slow
def test_failed_wheel_download_raises_and_leaves_no_files(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with refused("no wheel of pylibjpeg==.* for Python 3.11: ERROR: No matching distribution"):
        wheels.download_wheels(("pylibjpeg",), tmp_path / "kept", tmp_path)
    assert list((tmp_path / "kept").iterdir()) == []


def test_build_wheel_without_sources_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, "REPOSITORY", tmp_path)
    with refused("installed without its sources"):
        wheels.build_wheel(tmp_path)
