"""Progress bars and tables, with and without a terminal."""

import io
import re

from rich.console import Console

from medfold.terminal import console, progress


def test_progress_bar_without_terminal_prints_bytes_at_intervals(capsys, monkeypatch):
    with progress.progress_bar("download", 3_000_000, "bytes", 1_000_000) as bar:
        bar.advance(500_000)
        assert capsys.readouterr().out == ""  # not yet
        monkeypatch.setattr(progress, "LOG_INTERVAL", -1)
        bar.advance(500_000)
    assert capsys.readouterr().out == "download   2 MB of 3 MB\n"


def test_live_table_without_terminal_prints_lines(capsys):
    with progress.live_table(["fold 0", "fold 1"]) as tell:
        tell("fold 1", "epoch 1/2")
        tell("fold 0", "done")
    assert capsys.readouterr().out == "fold 1     epoch 1/2\nfold 0     done\n"


def test_live_table_on_a_terminal_has_a_line_each(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(console, "console", Console(file=screen, force_terminal=True, width=80, color_system=None))
    with progress.live_table(["fold 0", "fold 1"]) as tell:
        tell("fold 1", "epoch [1/2]")
    with progress.spinner("waiting"):
        pass
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "fold 0     waiting" in shown
    assert "fold 1     epoch [1/2]" in shown
    assert "waiting" in shown


def test_progress_bar_without_terminal_prints_rate_and_time_left(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LOG_INTERVAL", -1)
    with progress.progress_bar("predict", 4) as bar:
        bar.advance()
    assert re.fullmatch(r"predict    1 of 4 images, [\d,]+ a second, .* left\n", capsys.readouterr().out)


def test_with_time_left_prints_a_line_only_where_it_takes_long(capsys, monkeypatch):
    assert list(progress.with_time_left("abc", "score", 3, "resamples")) == ["a", "b", "c"]
    assert capsys.readouterr().out == ""
    seconds = iter([0, 1, 32, 62, 95])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    assert list(progress.with_time_left(range(4), "score", 4, "resamples")) == [0, 1, 2, 3]
    lines = "score      1 of 4 resamples, 96 s left\nscore      3 of 4 resamples, 32 s left\n"
    assert capsys.readouterr().out == lines


def test_progress_bar_with_log_false_prints_nothing(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LOG_INTERVAL", -1)
    with progress.progress_bar("fold 0", 4, "steps", log=False) as bar:
        bar.advance(4)
    assert capsys.readouterr().out == ""


def test_progress_bar_on_a_terminal_has_count_text_and_unit(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(console, "console", Console(file=screen, force_terminal=True, width=120, color_system=None))
    with progress.progress_bar("fold 0", 10, "steps", done=4) as bar:
        bar.describe("loss [0.5]")
        bar.advance(2)
        bar.bar.refresh()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "fold 0" in shown
    assert "6/10" in shown
    assert "loss [0.5]" in shown
    assert "steps/s" in shown
