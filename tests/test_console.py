import io
import os
import re
import subprocess
import sys

import pytest
from rich.console import Console

from medfold import console


def test_a_table_in_a_pipe_is_not_cut(capsys):
    long = "x" * 120
    console.table(["name", "n"], [[long, 1]])
    assert long in capsys.readouterr().out


def test_words_in_brackets_are_not_markup(capsys):
    console.say("stage", "a [b] c")
    assert "a [b] c" in capsys.readouterr().out


@pytest.mark.parametrize(("value", "shown"), [(999, "999 B"), (3_290_000, "3.29 MB"), (1.5e9, "1.5 GB")])
def test_sizes(value, shown):
    assert console.size(value) == shown


def test_durations():
    assert (console.minutes(42.4), console.minutes(378)) == ("42 s", "6.3 min")


@pytest.mark.parametrize("fails", [False, True])
def test_silenced_output_is_shown_only_if_the_block_fails(fails):
    code = (
        "import os\nfrom medfold.processes import silence_native_output\n"
        f"with silence_native_output():\n    os.write(2, b'noise')\n    assert not {fails}\nos.write(2, b'after')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert ("noise" in result.stderr) is fails
    assert ("after" in result.stderr) is not fails


def test_bytes_that_pass_are_told_now_and_then_where_there_is_no_terminal(capsys, monkeypatch):
    with console.Meter("download", 3_000_000, 1_000_000) as meter:
        meter.advance(500_000)
        assert capsys.readouterr().out == ""  # not yet
        monkeypatch.setattr(console.Meter, "EVERY", -1)
        meter.advance(500_000)
    assert capsys.readouterr().out == "download   2 MB of 3 MB\n"


def test_a_board_without_a_terminal_is_told_line_by_line(capsys):
    with console.status_board(["fold 0", "fold 1"]) as tell:
        tell("fold 1", "epoch 1/2")
        tell("fold 0", "done")
    assert capsys.readouterr().out == "fold 1     epoch 1/2\nfold 0     done\n"


def test_a_board_on_a_terminal_keeps_a_line_for_each(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(console, "console", Console(file=screen, force_terminal=True, width=80, color_system=None))
    with console.status_board(["fold 0", "fold 1"]) as tell:
        tell("fold 1", "epoch [1/2]")
    with console.spinner("waiting"):
        pass
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "fold 0     waits" in shown
    assert "fold 1     epoch [1/2]" in shown
    assert "waiting" in shown
