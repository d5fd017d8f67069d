"""make data: the list of data, and its removal with DELETE=."""

from medfold.commands.data import data
from medfold.competition import Competition
from medfold.data import load_samples
from medfold.paths import ProjectPaths
from medfold.system import json_files
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused
from tests.support.small_project import SMALL, add_competition


def test_unknown_data_or_missing_competition_is_refused(small):
    with refused("there is no store/x among the data of small"):
        data(ProjectPaths.find(), "small", ["store/x"], skip_question=True)
    with refused("DELETE: no competition named"):
        data(ProjectPaths.find(), None, ["raw"], skip_question=True)


def test_raw_data_of_ones_own_is_not_offered_as_a_download(project_folder, capsys):
    add_competition(project_folder, "own", SMALL.replace(SMALL.splitlines()[1], "source: {kind: own}"))
    raw = ProjectPaths.find().competition("own").raw
    raw.mkdir(parents=True)
    data(ProjectPaths.find(), "own")
    assert "everything; only from your own copy: FROM" in capsys.readouterr().out
    raw.rmdir()
    with refused("Run: make download COMPETITION=own FROM=folder-or-archive$"):
        load_samples(Competition.open("own"))


def test_data_lists_users_of_data_and_removes_by_name(folded, capsys):
    finished_run(folded, "a")
    key = json_files.read(folded.paths.run("a").metadata)["store_key"]
    unused = folded.paths.data / "store" / "0123"
    for folder, size in ((folded.paths.store(key), 3000), (unused, 2000), (folded.paths.features(key), 1000)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "some.npy").write_bytes(bytes(size))
    data(ProjectPaths.find(), "small")
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in capsys.readouterr().out.splitlines()[2:]}
    assert lines["raw"].endswith("everything; make download gets it again")
    assert lines[f"store/{key}"].endswith("kB a")
    assert lines["store/0123"] == "2 kB no run"
    assert lines[f"features/{key}"] == "1 kB a"
    data(ProjectPaths.find(), "small", ["store/0123", "raw"], skip_question=True)
    assert not unused.exists()
    assert not folded.paths.raw.exists()
    assert not folded.paths.raw_manifest.exists()
    assert folded.paths.store(key).is_dir()
    capsys.readouterr()
    data(ProjectPaths.find())
    assert "store/0123" not in capsys.readouterr().out
