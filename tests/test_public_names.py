"""The faces of packages: each is imported by itself, and only those that say so load Keras."""

import subprocess
import sys

import pytest

from tests.support.helpers import REPOSITORY

PACKAGES = sorted(
    path.parent.name
    for path in (REPOSITORY / "src" / "medfold").glob("*/__init__.py")
    if path.parent.name not in ("commands",)
)
WITH_KERAS = ("models", "prediction", "plugins")


@pytest.mark.slow
@pytest.mark.parametrize("package", [*PACKAGES, "plugins"])
def test_a_face_is_imported_by_itself_and_names_what_is_there(package):
    code = (
        f"import sys, medfold.{package} as face\n"
        "missing = [name for name in face.__all__ if not hasattr(face, name)]\n"
        "assert face.__doc__ and not missing, missing\n"
        "print(*[name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    environment = {"PYTHONPATH": str(REPOSITORY / "src"), "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": ""}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert bool(said.stdout.split()) is (package in WITH_KERAS)
