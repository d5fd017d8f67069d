import os
import subprocess
import sys

import pytest

from medfold import terminal


def test_a_table_in_a_pipe_is_not_cut(capsys):
    long = "x" * 120
    terminal.table(["name", "n"], [[long, 1]])
    assert long in capsys.readouterr().out


def test_words_in_brackets_are_not_markup(capsys):
    terminal.say("stage", "a [b] c")
    assert "a [b] c" in capsys.readouterr().out


@pytest.mark.parametrize(("value", "shown"), [(999, "999 B"), (3_290_000, "3.29 MB"), (1.5e9, "1.5 GB")])
def test_sizes(value, shown):
    assert terminal.size(value) == shown


def test_durations():
    assert (terminal.minutes(42.4), terminal.minutes(378)) == ("42 s", "6.3 min")


@pytest.mark.parametrize("fails", [False, True])
def test_hushed_shows_what_was_written_only_if_the_block_fails(fails):
    code = (
        "import os\nfrom medfold.terminal import hushed\n"
        f"with hushed():\n    os.write(2, b'noise')\n    assert not {fails}\nos.write(2, b'after')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert ("noise" in result.stderr) is fails
    assert ("after" in result.stderr) is not fails
