"""The plugins.py of a competition: when it is run, and errors in it."""

import sys

import pytest

from medfold.competition import plugins
from medfold.registry import Registry
from tests.support.helpers import refused


@pytest.fixture
def things():
    """A registry of its own, with no plugins in use."""
    plugins.use_plugins(None)
    return Registry("thing")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "plugins.py"


def test_plugins_are_run_at_the_first_unknown_name(things, file):
    things.register("stone", 1, "medfold.stones")
    file.write_text("raise SystemExit('it was run')")
    plugins.use_plugins(file)
    assert plugins.active_plugins() == file
    assert things["stone"] == 1
    with pytest.raises(SystemExit, match="it was run"):
        things.find("feather", "key")


def test_missing_plugins_file_means_no_plugins(things, file):
    for none in (None, file):
        plugins.use_plugins(none)
        assert plugins.active_plugins() is None
    assert "feather" not in things
    assert plugins.plugins_hash(file) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\nx = 1 / 0", "ZeroDivisionError in line 3: division by zero"),
        ("def f():\n    raise ValueError('a\\nb')\nf()", "ValueError in line 2: a. Correct"),
        ("x = (", "SyntaxError in line 1"),
        (
            "from medfold.plugins import metric\n@metric('Mine')\ndef auc(targets, predictions):\n    pass",
            "line 2: metric 'auc' exists already. Choose another name",
        ),
    ],
)
def test_error_in_plugins_names_file_type_and_line(file, text, message):
    file.write_text(text)
    with refused(f"plugins.py: {message}") as caught:
        plugins.run_plugins(file)
    assert "\n" not in str(caught.value)


def test_plugins_that_are_no_python_are_refused_before_they_are_needed(things, file):
    file.write_text("x = 1\ny = 1 +\n")
    with refused(r"plugins.py: SyntaxError in line 2: invalid syntax\. Correct the code there"):
        plugins.use_plugins(file)


def test_user_error_in_plugins_is_raised_unchanged(file):
    file.write_text("from medfold.errors import UserError\nraise UserError('no such metric', 'key')")
    with refused("^key: no such metric$"):
        plugins.run_plugins(file)


def test_running_plugins_leaves_no_bytecode_beside_them(things, file, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file.write_text("print('it was run')")
    plugins.run_plugins(file)
    assert [path.name for path in file.parent.iterdir()] == ["plugins.py"]
