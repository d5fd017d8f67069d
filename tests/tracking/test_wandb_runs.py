"""Files that W&B writes offline: read record by record."""

import json
import os

import pytest

from medfold.tracking import wandb_runs
from medfold.tracking.wandb_runs import destination, write
from tests.support.tracked_runs import fold_result, tracked_run, train_anew
from tests.support.wandb_files import records

pytestmark = pytest.mark.slow
pytest.importorskip("wandb", reason="wandb is not installed")


@pytest.fixture
def run(folded, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    tracked_run(folded)
    yield folded
    os.environ.pop("WANDB_ERROR_REPORTING", None)


def written(competition, number=0):
    """Returns the records of the only folder of a result."""
    result = fold_result(competition, number)
    (folder,) = destination(result).glob(f"offline-run-*-{result.id}*")
    return records(folder / f"run-{result.id}.wandb")


def curve(found, name):
    """Returns the values of a curve by step."""
    rows = [
        {
            item.nested_key[0] if item.nested_key else item.key: json.loads(item.value_json)
            for item in record.history.item
        }
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]
    return {row["_step"]: row[name] for row in rows if name in row}


def test_offline_run_has_settings_scores_and_each_epoch_once(run):
    result = fold_result(run)
    for _ in range(2):
        write(result)
    found = written(run)
    started = next(record.run for record in found if record.WhichOneof("record_type") == "run")
    assert (started.project, started.run_group, started.display_name) == ("small", "baseline", "baseline/fold0")
    assert started.host == ""
    assert not started.HasField("git") or not started.git.commit
    config = {item.key: json.loads(item.value_json) for item in started.config.update}
    assert {key: value for key, value in config.items() if key != "_wandb"} == result.settings
    assert curve(found, "loss") == {1: 0.5, 2: 0.25, 3: pytest.approx(0.5 / 3)}
    assert curve(found, "val_auc") == {2: 0.8, 3: 0.9}
    summary = [item for record in found for item in record.summary.update]
    assert result.scores["auc"] in [json.loads(item.value_json) for item in summary if item.key == "auc"]


def test_fold_trained_anew_replaces_its_folder(run):
    write(fold_result(run))
    train_anew(run, 0, 0.8)
    write(fold_result(run))
    assert list(curve(written(run), "loss").values()) == pytest.approx([0.8, 0.4, 0.8 / 3])


def test_without_a_key_nothing_is_written_online_and_the_offline_files_stay(run, monkeypatch):
    write(fold_result(run))
    before = sorted(destination(fold_result(run)).rglob("*"))
    folder = destination(fold_result(run))
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(wandb_runs, "INIT_TIMEOUT", 2)
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    assert destination(fold_result(run)) == "http://127.0.0.1:9, project small (online)"
    with pytest.raises(Exception, match="refused|Timed out"):
        write(fold_result(run))
    assert sorted(folder.rglob("*")) == before
