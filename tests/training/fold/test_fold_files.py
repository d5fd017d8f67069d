"""Files of a fold: stale ones are removed first, the marker comes last, former names are kept."""

from types import SimpleNamespace

import pandas as pd
import pytest

from medfold.paths import FoldPaths
from medfold.runs import is_fold_trained
from medfold.system import files, json_files
from medfold.training.fold import fold_files
from medfold.training.fold.fold_files import FoldFiles

TABLE = pd.DataFrame({"id": ["a"], "target": [0.5]})
TRAINED = SimpleNamespace(net=None, history=pd.DataFrame({"epoch": [1]}))


@pytest.fixture(autouse=True)
def weights(monkeypatch):
    """Replaces the weights by a text: no net is needed here."""
    monkeypatch.setattr(fold_files, "save_weights", lambda net, path: files.write_text("weights", path))


def test_marker_is_written_last_and_lists_the_files(tmp_path):
    paths = FoldPaths(tmp_path / "fold0")
    writer = FoldFiles(paths)
    writer.write_net_and_predictions(TRAINED, TABLE, TABLE)
    assert not paths.trained_marker.exists()
    writer.mark_trained(["suspicious"])
    assert is_fold_trained(paths)
    outputs = (paths.weights, paths.history, paths.oof, paths.test, paths.self_check_warnings)
    assert list(json_files.read(paths.trained_marker)) == [path.name for path in outputs]
    assert json_files.read(paths.self_check_warnings) == ["suspicious"]


def test_fold_is_not_trained_while_its_files_are_replaced(tmp_path):
    paths = FoldPaths(tmp_path / "fold0")
    for step in ("first", "again"):
        writer = FoldFiles(paths)
        writer.write_net_and_predictions(TRAINED, TABLE, TABLE)
        assert not is_fold_trained(paths), step
        assert not paths.self_check_warnings.exists(), step
        writer.mark_trained([])
    assert is_fold_trained(paths)


def test_temporary_files_are_removed(tmp_path):
    paths = FoldPaths(tmp_path / "fold0")
    paths.folder.mkdir()
    (paths.folder / ".oof.csv.0123abcd.tmp").write_bytes(b"half")
    FoldFiles(paths).remove_temporaries()
    assert list(paths.folder.iterdir()) == []


def test_fold_of_an_earlier_version_keeps_its_names(tmp_path):
    paths = FoldPaths(tmp_path / "fold0")
    json_files.write([], paths.folder / "checks.json")
    writer = FoldFiles(paths)
    writer.write_net_and_predictions(TRAINED, TABLE, TABLE)
    writer.mark_trained([])
    assert "checks.json" in json_files.read(paths.trained_marker)
    assert is_fold_trained(paths)
