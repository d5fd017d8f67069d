"""What trackers write names no folder of this machine, no user, no image and no patient: their files, byte by byte."""

import getpass
import os
import socket
from importlib.util import find_spec

import pandas as pd
import pytest

from medfold.system import json_files
from medfold.tracking import TRACKERS, Tracking
from tests.support.tracked_runs import tracked_run

FOLDERS = {"tensorboard": "runs/small/baseline/tensorboard", "mlflow": "runs", "wandb": "runs/small/baseline/wandb"}
OWN_FILES = {"run.json", "score.json", "oof.csv", "test.csv", "history.csv", "done.json", "timing.json"}


@pytest.fixture
def run_of_alice(folded, tmp_path, monkeypatch):
    """A finished run of alice, whose recipe holds paths of her home folder."""
    home = tmp_path / "home" / "alice"
    home.mkdir(parents=True)
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "alice")
    for name in [name for name in os.environ if name.startswith(("WANDB_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    tracked_run(folded)
    file = folded.paths.run("baseline").metadata
    metadata = json_files.read(file)
    metadata["recipe"]["backbone"]["weights"] = str(home / "net.weights.h5")
    metadata["recipe"]["training"]["callbacks"] = [{"CSVLogger": {"filename": str(home / "log.csv")}}]
    json_files.write(metadata, file, sealed=True)
    return folded


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_files_of_a_tracker_name_no_folder_user_image_or_patient(run_of_alice, tmp_path, capfd, name):
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    Tracking(run_of_alice, [name]).write("baseline")
    assert f"{name}: wrote fold0, fold1, fold2, oof" in capfd.readouterr().out
    root = run_of_alice.project_paths.root
    files = [path for path in (root / FOLDERS[name]).rglob("*") if path.is_file() and path.name not in OWN_FILES]
    contents = b"".join(path.read_bytes() for path in files)
    names = " ".join(str(path.relative_to(root)) for path in files)
    samples = pd.read_csv(run_of_alice.paths.samples, dtype=str)
    patients = pd.read_csv(run_of_alice.paths.groups, dtype=str)["patient"]
    private = {"alice", str(tmp_path), str(root), *samples["id"], *samples["image"], *patients}
    private |= {word for word in (socket.gethostname(), getpass.getuser()) if len(word) > 4}  # shorter: parts of words
    assert len(private) > 100
    assert b"net.weights.h5" in contents  # settings were written
    assert b"xray" in contents
    assert [word for word in sorted(private) if word.encode() in contents or word in names] == []


def test_each_built_in_tracker_is_tested():
    assert set(FOLDERS) == {name for name in TRACKERS.names() if TRACKERS.is_built_in(name)}
