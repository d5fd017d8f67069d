"""The house of the tests: each module has a test file of its name; tests are named once, short and independent."""

import ast
from collections import Counter

import pytest

from tests.support.helpers import REPOSITORY

SOURCE, TESTS = REPOSITORY / "src" / "medfold", REPOSITORY / "tests"
MAX_CHECKS = 10  # of one test: a longer one shows several things

# Modules without logic of their own: constants, data classes, protocols, one call.
THIN = {
    "__main__.py",
    "commands/download.py",
    "commands/notebook.py",
    "commands/report.py",
    "data/label_layouts/layout.py",
    "plugins.py",
    "submission/leaderboards/entry.py",
    "training/training_inputs.py",
}


def modules() -> list[str]:
    """Lists the modules of medfold by their path; packages are docstrings and names only."""
    paths = (path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
    return sorted(path for path in paths if not path.endswith("__init__.py"))


def has_test_file(module: str) -> bool:
    """Returns True if tests/x/test_y.py exists for the module x/y.py."""
    folder, _, name = module.rpartition("/")
    return (TESTS / folder / f"test_{name}").is_file()


@pytest.mark.parametrize("module", modules())
def test_every_module_has_a_test_file_or_a_reason_to_have_none(module):
    message = f"add tests/.../test_{module.rpartition('/')[2]}, or list the module as thin"
    assert has_test_file(module) is not (module in THIN), message


def test_listed_modules_exist():
    assert set(modules()) >= THIN


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The syntax tree of every test module, by its path below tests/."""
    files = sorted(TESTS.rglob("test_*.py"))
    return {path.relative_to(TESTS).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def list_tests(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_names_of_tests_occur_once(trees):
    names = Counter(test.name for tree in trees.values() for test in list_tests(tree))
    assert [name for name, count in names.items() if count > 1] == []


def test_test_modules_do_not_import_each_other(trees):
    imports = [
        f"{file}: {node.module}"
        for file, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith("test_")
    ]
    assert imports == []


def num_checks(test: ast.FunctionDef) -> int:
    """Returns the number of assertions and of expected errors in a test."""
    expected = {"raises", "refused", "warns"}
    calls = (
        item.context_expr for node in ast.walk(test) if isinstance(node, ast.With) for item in node.items
    )  # `with pytest.raises(...)`
    called = [call.func for call in calls if isinstance(call, ast.Call)]
    names = [func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in called]
    asserts = sum(isinstance(node, ast.Assert) for node in ast.walk(test))
    return asserts + sum(name in expected for name in names)


def test_no_test_has_too_many_checks(trees):
    counts = {f"{file}: {test.name}": num_checks(test) for file, tree in trees.items() for test in list_tests(tree)}
    assert {name: count for name, count in counts.items() if count > MAX_CHECKS} == {}
