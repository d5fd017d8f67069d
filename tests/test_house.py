"""The house of the tests: a test file for each module and a module for each test file; tests are short, named once."""

import ast
import re
from collections import Counter

import pytest

from tests.support.helpers import REPOSITORY

SOURCE, TESTS = REPOSITORY / "src" / "medfold", REPOSITORY / "tests"
MAX_CHECKS = 10  # of one test: a longer one shows several things

# Modules without logic of their own: constants, data classes, protocols.
THIN = {
    "__main__.py",
    "cluster/cluster_jobs.py",
    "cluster/node/messages.py",
    "data/label_layouts/layout.py",
    "submission/leaderboard_result.py",
    "submission/leaderboards/leaderboard.py",
    "training/run_inputs.py",
}

# Test files that belong to no single module: of whole folders, and single ones.
WITHOUT_MODULE = {
    "campaigns": "hours of kills and damaged files",
    "end_to_end": "make targets",
    "hostile": "input that tries to do harm",
    "layouts": "raw data of any layout, from its files to its samples",
    "lookalikes": "small copies of competitions, from their files to a submission",
    "support": "the functions that the tests share",
    "cluster/test_this_machine.py": "a real Ray cluster that a command starts",
    "cluster/test_two_nodes.py": "a real Ray cluster of two nodes",
    "commands/test_json.py": "JSON=1 of all commands",
    "test_documented_commands.py": "commands in the docs",
    "test_extending.py": "examples in docs/extending.md",
    "test_house.py": "the tests",
    "test_package_exports.py": "names in __init__.py",
    "test_reference.py": "docs/make/reference.py",
    "test_repository.py": "files of the repository",
}


def modules() -> list[str]:
    """Lists the modules of medfold by their path; packages are docstrings and names only."""
    paths = (path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
    return sorted(path for path in paths if not path.endswith("__init__.py"))


def has_test_file(module: str) -> bool:
    """Returns True if tests/x/test_y.py exists for the module x/y.py."""
    folder, _, name = module.rpartition("/")
    return (TESTS / folder / f"test_{name}").is_file()


def test_every_module_of_commands_is_a_make_target():
    targets = re.findall(r"^([a-z-]+):.*##", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    commands = {path.stem.replace("_", "-") for path in (SOURCE / "commands").glob("*.py")} - {"--init--"}
    assert commands <= set(targets)


@pytest.mark.parametrize("module", modules())
def test_every_module_has_a_test_file_or_a_reason_to_have_none(module):
    message = f"add tests/.../test_{module.rpartition('/')[2]}, or list the module as thin"
    assert has_test_file(module) is not (module in THIN), message


def test_listed_modules_exist():
    assert set(modules()) >= THIN


def test_only_commands_print_tables_and_ask_questions():
    allowed = ("commands/", "cli/", "terminal/")
    sources = {name: (SOURCE / name).read_text(encoding="utf-8") for name in modules() if not name.startswith(allowed)}
    assert [name for name, text in sources.items() if re.search(r"\b(print_table|confirm)\(", text)] == []


def list_test_files() -> list[str]:
    """Lists the test files by their path below tests/."""
    return sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py"))


def has_module(test_file: str) -> bool:
    """Returns True for tests/x/test_y.py and tests/x/test_y_topic.py if there is a module x/y.py."""
    folder, _, name = test_file.rpartition("/")
    words = name.removeprefix("test_").removesuffix(".py").split("_")
    return any((SOURCE / folder / f"{'_'.join(words[:count])}.py").is_file() for count in range(1, len(words) + 1))


@pytest.mark.parametrize("test_file", list_test_files())
def test_every_test_file_has_a_module_or_a_reason_to_have_none(test_file):
    has_reason = test_file in WITHOUT_MODULE or test_file.partition("/")[0] in WITHOUT_MODULE
    message = f"name {test_file} after the module that it tests, or list it with its reason in WITHOUT_MODULE"
    assert has_module(test_file) is not has_reason, message


def test_listed_test_files_exist():
    assert [name for name in WITHOUT_MODULE if not (TESTS / name).exists()] == []


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The syntax tree of every test module, by its path below tests/."""
    return {name: ast.parse((TESTS / name).read_text(encoding="utf-8")) for name in list_test_files()}


def list_tests(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_names_of_tests_occur_once(trees):
    names = Counter(test.name for tree in trees.values() for test in list_tests(tree))
    assert [name for name, count in names.items() if count > 1] == []


def test_test_modules_import_neither_each_other_nor_a_conftest(trees):
    imports = [
        f"{file}: {node.module}"
        for file, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith(("test_", "conftest"))
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
