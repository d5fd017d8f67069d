"""make data and make runs with DELETE=: what is listed, asked and removed."""

import pytest

from medfold import files
from medfold.commands.data import data
from medfold.commands.runs import remove_runs
from medfold.commands.submit import submit
from medfold.errors import UserError
from medfold.paths import Workspace
from tests.support.helpers import finished_run


@pytest.fixture
def answer(monkeypatch):
    """Fakes a terminal and the text that the user types; returns the questions asked."""

    def fake_terminal(text):
        asked = []
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("medfold.console.console.input", lambda question: asked.append(question) or text)
        return asked

    return fake_terminal


def test_remove_runs_asks_once_and_needs_yes(folded, answer, capsys):
    for name in ("a", "b", "c"):
        finished_run(folded, name)
    submit(folded, names=["b"])
    answer("n")
    remove_runs(folded, ["a"])
    assert "nothing was removed" in capsys.readouterr().out
    assert folded.paths.run("a").metadata.is_file()
    asked = answer("y")
    remove_runs(folded, ["a", "b"])
    said = capsys.readouterr().out
    assert "to be removed: a (3 of 3 folds, " in said
    assert "in 1 submission)" in said
    assert asked == ["[bold]           Remove this for good? [/](y/n) "]  # one question for both runs
    assert [path.name for path in folded.paths.runs.iterdir() if not path.name.startswith(".")] == ["c"]
    assert list(folded.paths.submissions.glob("*.csv"))


def test_remove_runs_without_terminal_raises_unless_yes_is_given(folded, monkeypatch):
    finished_run(folded, "a")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(UserError, match="cannot ask without a terminal. Use YES=1 to answer yes"):
        remove_runs(folded, ["a"])
    assert folded.paths.run("a").metadata.is_file()
    remove_runs(folded, ["a"], skip_question=True)
    assert not folded.paths.run("a").folder.exists()


def test_unknown_names_raise_and_nothing_is_removed(folded):
    finished_run(folded, "a")
    with pytest.raises(UserError, match='DELETE="a other": there is no other among the runs of small. Known: a'):
        remove_runs(folded, ["a", "other"], skip_question=True)
    with pytest.raises(UserError, match="there is no store/x among the data of small"):
        data(Workspace.find(), "small", ["store/x"], skip_question=True)
    with pytest.raises(UserError, match="DELETE: no competition named"):
        data(Workspace.find(), None, ["raw"], skip_question=True)
    assert folded.paths.run("a").metadata.is_file()


def test_data_lists_users_of_data_and_removes_by_name(folded, capsys):
    finished_run(folded, "a")
    key = files.read_json(folded.paths.run("a").metadata)["store"]
    unused = folded.paths.data / "store" / "0123"
    for folder, size in ((folded.paths.store(key), 3000), (unused, 2000), (folded.paths.features(key), 1000)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "some.npy").write_bytes(bytes(size))
    data(Workspace.find(), "small")
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in capsys.readouterr().out.splitlines()[2:]}
    assert lines["raw"].endswith("everything; make download gets it again")
    assert lines[f"store/{key}"].endswith("kB a")
    assert lines["store/0123"] == "2 kB no run"
    assert lines[f"features/{key}"] == "1 kB a"
    data(Workspace.find(), "small", ["store/0123", "raw"], skip_question=True)
    assert not unused.exists()
    assert not folded.paths.raw.exists()
    assert not folded.paths.raw_manifest.exists()
    assert folded.paths.store(key).is_dir()
    capsys.readouterr()
    data(Workspace.find())
    assert "store/0123" not in capsys.readouterr().out
