"""Packages: each can be imported by itself, has the names in its `__all__`, and few load Keras."""

import ast
import re
import subprocess
import sys

import pytest

from tests.support.helpers import REPOSITORY

PACKAGES = sorted(
    path.parent.name
    for path in (REPOSITORY / "src" / "medfold").glob("*/__init__.py")
    if path.parent.name not in ("commands",)
)
# Their modules are imported one by one.
WITHOUT_NAMES = ("system", "terminal")
WITH_KERAS = ("models", "prediction", "plugins")


@pytest.mark.slow
@pytest.mark.parametrize("package", [*PACKAGES, "plugins"])
def test_package_imports_alone_and_has_its_exported_names(package):
    code = (
        f"import sys, medfold.{package} as package\n"
        f"names = package.__all__ if {package not in WITHOUT_NAMES} else []\n"
        "missing = [name for name in names if not hasattr(package, name)]\n"
        "assert package.__doc__ and not missing, missing\n"
        "print(*[name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    environment = {"PYTHONPATH": str(REPOSITORY / "src"), "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": ""}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert bool(said.stdout.split()) is (package in WITH_KERAS)


def test_each_package_with_names_is_protected_by_the_import_contract():
    protected = set(re.findall(r"medfold\.(\w+)\.\*\*", (REPOSITORY / ".importlinter").read_text(encoding="utf-8")))
    assert protected == set(PACKAGES) - {*WITHOUT_NAMES, "cli"}


def test_each_package_lists_its_modules():
    for file in sorted((REPOSITORY / "src" / "medfold").glob("*/**/__init__.py")):
        listed = set(re.findall(r"`([\w/]+)`", ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))))
        modules = {path.stem for path in file.parent.glob("[!_]*.py")}
        packages = {f"{path.parent.name}/" for path in file.parent.glob("*/__init__.py")}
        assert modules | packages <= listed, f"{file}: {sorted((modules | packages) - listed)} are not in its docstring"
