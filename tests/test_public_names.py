"""Public names of packages, in their `__init__.py`: each package imports alone; only some load Keras."""

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
def test_package_imports_alone_and_defines_its_public_names(package):
    code = (
        f"import sys, medfold.{package} as face\n"
        "missing = [name for name in face.__all__ if not hasattr(face, name)]\n"
        "assert face.__doc__ and not missing, missing\n"
        "print(*[name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    environment = {"PYTHONPATH": str(REPOSITORY / "src"), "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": ""}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert bool(said.stdout.split()) is (package in WITH_KERAS)
