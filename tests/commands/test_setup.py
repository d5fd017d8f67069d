"""make setup in a fresh clone. The script runs from its own copy, so that no test touches this .venv."""

import os
import shutil
import subprocess
import sys
import venv
from zipfile import ZipFile

import pytest

from tests.support.helpers import REPOSITORY


@pytest.fixture
def clone(tmp_path):
    """A clone that holds only the script, a lock file and an empty pyproject.toml."""
    root = tmp_path / "a clone"
    (root / "src" / "medfold" / "commands").mkdir(parents=True)
    shutil.copy(REPOSITORY / "src" / "medfold" / "commands" / "setup.py", root / "src" / "medfold" / "commands")
    (root / "requirements.lock").write_text("opencv-python-headless==4.0\ntensorflow==2.0\n")
    (root / "requirements-gpu.lock").write_text("nvidia-cudnn==1.0\n")
    (root / "pyproject.toml").write_text("")
    return root


def run(clone, code="", *words):
    """Runs the script after `code`, which can replace its functions."""
    script = f"import sys; sys.path.insert(0, 'src/medfold/commands'); import setup\n{code}\nsetup.main()"
    return subprocess.run([sys.executable, "-c", script, *words], cwd=clone, capture_output=True, text=True)


FAKE_INSTALLATION = """
import os
done = []
def pretend(command, what):
    done.append(what)
    if what == 'making .venv':
        os.makedirs(os.path.dirname(setup.PYTHON), exist_ok=True)
        open(setup.PYTHON, 'w').close()
setup.run = pretend
setup.check = lambda python: None
import atexit
atexit.register(lambda: print(done))
"""


def test_setup_installs_again_only_if_the_lock_changes(clone):
    first = run(clone, FAKE_INSTALLATION)
    assert first.returncode == 0, first.stderr
    assert "installing the packages" in first.stdout
    assert "'installing OpenCV', 'installing medfold'" in first.stdout
    assert run(clone, FAKE_INSTALLATION).stdout == "[]\n"
    (clone / "requirements.lock").write_text("opencv-python-headless==4.1\ntensorflow==2.0\n")
    assert "installing OpenCV" in run(clone, FAKE_INSTALLATION).stdout


def test_gpu_option_adds_cuda_once_and_keeps_it(clone):
    run(clone, FAKE_INSTALLATION)
    assert "installing requirements-gpu.lock" in run(clone, FAKE_INSTALLATION, "--gpu").stdout
    assert run(clone, FAKE_INSTALLATION).stdout == "[]\n"
    assert run(clone, FAKE_INSTALLATION, "--gpu").stdout == "[]\n"


@pytest.mark.slow
def test_failed_installation_prints_one_line_and_leaves_no_stamp(clone):
    broken = "setup.check = lambda python: None\nsetup.PYTHON = sys.executable\n"
    (clone / "requirements.lock").write_text("no-such-package-of-medfold==1.0\n")
    script = (
        broken + "os = setup.os; os.environ['PIP_INDEX_URL'] = 'http://127.0.0.1:9/'; os.environ['PIP_NO_INDEX'] = '1'"
    )
    result = run(clone, script)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "installing requirements.lock failed" in result.stderr
    assert not (clone / ".venv" / "medfold.stamp").exists()


@pytest.fixture
def wheel(tmp_path):
    """A wheel that is not on any index."""
    path = tmp_path / "wheels" / "tiny-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hashes", "message"),
    [
        (lambda wheel: f" --hash=sha256:{'0' * 64}", "THESE PACKAGES DO NOT MATCH THE HASHES"),
        (lambda wheel: "", "Hashes are required in --require-hashes mode"),
    ],
)
def test_package_whose_hash_is_not_in_the_lock_is_refused(clone, wheel, hashes, message):
    (clone / "requirements.lock").write_text(f"tiny==1.0{hashes(wheel)}\n")
    script = f"os = setup.os; os.environ.update(PIP_NO_INDEX='1', PIP_FIND_LINKS={str(wheel.parent)!r})"
    result = run(clone, script)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "installing requirements.lock failed" in result.stderr
    assert message in result.stderr
    assert not list((clone / ".venv").rglob("tiny*"))


def test_opencv_is_installed_again_by_its_hashes(clone):
    lines = "opencv-python-headless==4.0 \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\n"
    (clone / "requirements.lock").write_text(f"numpy==1.0 \\\n    --hash=sha256:2\n{lines}    # via medfold\n")
    code = "print(repr(setup.locked_lines('opencv-python-headless')))\nsys.exit()"
    assert run(clone, code).stdout == f"{lines!r}\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("setup.is_supported = lambda v: False\nsetup.shutil.which = lambda n: None", "3.11 to 3.13 is needed"),
        ("setup.subprocess.call = lambda *a, **k: 1", "the venv module of"),
        ("setup.shutil.disk_usage = lambda p: type('D', (), {'free': 1e9})", "1.0 GB free on the disk"),
    ],
)
def test_missing_requirement_prints_one_line_with_the_remedy(clone, change, message):
    result = run(clone, change)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_check_option_changes_nothing_in_the_interpreter(clone, tmp_path):
    good = run(clone, "", "--check")
    assert good.returncode == 0, good.stderr
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    python = tmp_path / "bare" / "bin" / "python"
    bare = subprocess.run(
        [python, "src/medfold/commands/setup.py", "--check"], cwd=clone, capture_output=True, text=True
    )
    assert bare.returncode == 2
    assert f"import tensorflow fails in {python}" in bare.stderr
    assert f"Run: {python} -m pip install -r requirements.txt" in bare.stderr
    assert not (clone / ".venv").exists()


def test_cv2_without_libgl_prints_the_remedy(clone, tmp_path):
    (tmp_path / "fake" / "cv2").mkdir(parents=True)
    missing = "raise ImportError('libGL.so.1: cannot open shared object file')"
    (tmp_path / "fake" / "cv2" / "__init__.py").write_text(missing)
    result = subprocess.run(
        [sys.executable, "src/medfold/commands/setup.py", "--check"],
        cwd=clone,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "fake")},
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "libGL.so.1" in result.stderr
    assert "--force-reinstall --no-deps opencv-python-headless==4.0" in result.stderr
