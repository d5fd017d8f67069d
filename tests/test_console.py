"""Output on the console: tables, brackets, sizes, durations."""

import pytest

from medfold import console


def test_table_in_a_pipe_is_not_truncated(capsys):
    long = "x" * 120
    console.print_table(["name", "n"], [[long, 1]])
    assert long in capsys.readouterr().out


def test_words_in_brackets_are_not_read_as_markup(capsys):
    console.say("stage", "a [b] c")
    assert "a [b] c" in capsys.readouterr().out


@pytest.mark.parametrize(("value", "shown"), [(999, "999 B"), (3_290_000, "3.29 MB"), (1.5e9, "1.5 GB")])
def test_format_size_rounds_to_a_unit(value, shown):
    assert console.format_size(value) == shown


def test_format_duration_gives_seconds_or_minutes():
    assert (console.format_duration(42.4), console.format_duration(378)) == ("42 s", "6.3 min")
