"""The stages from raw data to a submission: the files they write, and that nothing is done twice."""

import json

import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import Competition
from medfold.data import open_source
from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.tables import read_csv
from tests.support.finished_runs import finished_run


def test_stages_write_all_documented_files(competition):
    paths, run = competition.paths, competition.paths.run("baseline")
    for path in (
        paths.samples,
        paths.groups,
        paths.folds_table,
        paths.folds_metadata,
        run.metadata,
        run.oof,
        run.score,
    ):
        assert path.is_file()
    for fold in range(3):
        assert {"net.weights.h5", "history.csv", "oof.csv", "test.csv", "done.json"} <= {
            path.name for path in run.fold(fold).folder.iterdir()
        }
    origin = json.loads(run.metadata.read_text())
    assert origin["recipe"]["training"]["epochs"] == 2
    assert origin["versions"]["keras"]
    score = json.loads(run.score.read_text())
    assert score["trained_folds"] == [0, 1, 2]
    assert score["low"] <= score["value"] <= score["high"]
    assert not list(competition.project_paths.root.rglob("*.tmp"))


def test_oof_table_covers_every_training_sample_once(competition):
    oof, folds = pd.read_csv(competition.paths.run("baseline").oof), pd.read_csv(competition.paths.folds_table)
    merged = oof.merge(folds, on=["id", "fold"], validate="one_to_one")
    assert len(merged) == len(folds) == len(oof)


def test_submission_record_and_ledger_hold_hashes_and_score(competition):
    (file,) = competition.paths.submissions.glob("*.csv")
    origin = json.loads(file.with_suffix(".json").read_text())
    assert origin["sha256"] == sha256(file)
    assert origin["inputs"]["runs/small/baseline/fold1/test.csv"] == sha256(
        competition.paths.run("baseline").fold(1).test
    )
    ledger = pd.read_csv(competition.project_paths.ledger, dtype=str)
    row = ledger.iloc[0]
    assert row["sha256"] == origin["sha256"]
    assert float(row["oof"]) == pytest.approx(origin["score"]["value"], abs=1e-6)
    assert row["trained_folds"] == "0 1 2"
    assert 0 <= float(row["public"]) <= 1


def test_submission_is_the_mean_of_the_folds(competition):
    (file,) = competition.paths.submissions.glob("*.csv")
    folds = [pd.read_csv(competition.paths.run("baseline").fold(k).test).set_index("id")["target"] for k in range(3)]
    expected = sum(folds) / 3
    written = pd.read_csv(file).set_index("id")["target"]
    assert (written - expected.loc[written.index]).abs().max() < 1e-8


@pytest.mark.slow
def test_finished_stages_are_skipped(competition, capsys, monkeypatch):
    monkeypatch.setattr("medfold.training.fold.train_fold.train_fold", None)
    before = {
        path: path.stat().st_mtime_ns
        for path in competition.project_paths.root.rglob("*.csv")
        if path.name != "ledger.csv"
    }
    download(competition)
    make_folds(competition)
    train(competition)
    submit(competition)
    said = capsys.readouterr().out
    for words in ("complete:", "kept:", "all folds are trained", "the same predictions are already in"):
        assert words in said
    unchanged = {path for path, when in before.items() if path.stat().st_mtime_ns == when}
    rewritten = {competition.paths.run("baseline").oof, competition.paths.leaks}  # rewritten with the same bytes
    assert set(before) - unchanged <= rewritten
    assert len(pd.read_csv(competition.project_paths.ledger)) == 1


@pytest.mark.slow
def test_damaged_fold_is_retrained_to_the_same_bytes(competition):
    run = competition.paths.run("baseline")
    kept = {name: (run.fold(1).folder / name).read_bytes() for name in ("oof.csv", "test.csv", "history.csv")}
    run.fold(1).oof.write_text("half of a f")
    train(competition)
    assert kept == {name: (run.fold(1).folder / name).read_bytes() for name in kept}


@pytest.mark.slow
def test_order_of_runs_folds_and_rows_changes_nothing(folded):
    for name, quality in (("a", 1.0), ("b", 0.7), ("c", 1.3)):
        finished_run(folded, name, quality)
    submit(folded, run_names=["a", "b", "c"])
    (file,) = folded.paths.submissions.glob("*.csv")
    before, score = read_csv(file, id=str).set_index("id"), json_files.read(file.with_suffix(".json"))["score"]
    for path in (folded.paths.folds_table, folded.paths.raw / "sample_submission.csv"):
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([head, *rows[::-1], ""]))
    open_source(folded).write_manifest()
    submit(Competition.open("small"), run_names=["c", "a", "b"], force=True)
    (other,) = set(folded.paths.submissions.glob("*.csv")) - {file}
    after = read_csv(other, id=str).set_index("id")
    assert after.index.tolist() == before.index.tolist()[::-1]
    pd.testing.assert_frame_equal(after.loc[before.index], before, check_exact=True)
    assert json_files.read(other.with_suffix(".json"))["score"] == score
