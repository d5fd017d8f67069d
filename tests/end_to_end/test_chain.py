"""All stages on a small phantom: their output, what they refuse, and that nothing is done twice."""

import json

import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.scores import scores
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition.competition import Competition
from medfold.competition.overrides import parse_overrides, run_name
from medfold.data.sources.source import open_source
from medfold.system import files
from medfold.system.hashes import sha256
from medfold.tables import read_csv
from tests.support.chest_xrays import chest
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused
from tests.support.small_project import SMALL, TINY_RECIPE, add_competition


@pytest.fixture
def competition(trained, capsys):
    """A project in which all folds of the small phantom are trained and submitted once."""
    submit(trained)
    capsys.readouterr()
    return trained


def test_stages_write_all_documented_files(competition):
    paths, run = competition.paths, competition.paths.run("baseline")
    for path in (paths.samples, paths.groups, paths.folds, paths.folds_metadata, run.metadata, run.oof, run.score):
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
    oof, folds = pd.read_csv(competition.paths.run("baseline").oof), pd.read_csv(competition.paths.folds)
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


def test_finished_stages_are_skipped(competition, capsys, monkeypatch):
    monkeypatch.setattr("medfold.training.run._train_here", None)
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
    for words in ("complete:", "kept:", "all folds are done", "the same predictions are already in"):
        assert words in said
    unchanged = {path for path, when in before.items() if path.stat().st_mtime_ns == when}
    rewritten = {competition.paths.run("baseline").oof, competition.paths.audit}  # rewritten with the same bytes
    assert set(before) - unchanged <= rewritten
    assert len(pd.read_csv(competition.project_paths.ledger)) == 1


@pytest.mark.slow
def test_damaged_fold_is_retrained_to_the_same_bytes(competition):
    run = competition.paths.run("baseline")
    kept = {name: (run.fold(1).folder / name).read_bytes() for name in ("oof.csv", "test.csv", "history.csv")}
    run.fold(1).oof.write_text("half of a f")
    train(competition)
    assert kept == {name: (run.fold(1).folder / name).read_bytes() for name in kept}


def test_run_of_another_recipe_is_refused(competition, capsys):
    with refused("recipe.training.epochs was 2, now 1"):
        train(competition, overrides=parse_overrides("training.epochs=1"), run="baseline")


def test_damaged_store_is_refused_before_training(competition):
    (images,) = competition.paths.data.glob("store/*/images.npy")
    content = bytearray(images.read_bytes())
    content[-100] ^= 1
    images.write_bytes(content)
    with refused("prepared images lie in blocks that have changed. Make it again: make data"):
        train(competition, run="second")
    assert not competition.paths.run("second").folder.exists()


@pytest.mark.parametrize("fold", [-1, 3])
def test_fold_out_of_range_is_refused(competition, fold):
    with refused(f"FOLD={fold}: there is no fold {fold}. Choose 0 to 2, or all"):
        train(competition, folds=[fold])


def test_untrained_run_and_one_name_for_several_seeds_raise(competition):
    with refused("run 'other' is not trained.*Trained so far: baseline"):
        submit(competition, run_names=["other"])
    with refused("RUN=a: one name cannot be used for several seeds"):
        train(competition, seeds=[0, 1], run="a")


@pytest.mark.slow
def test_each_seed_is_a_run_and_runs_are_blended(competition, capsys):
    one = parse_overrides("training.epochs=1")
    train(competition, overrides=one, seeds=[0, 3], folds=[0])
    submit(competition, [run_name("baseline", seed, one) for seed in (0, 3)])
    assert "covers 1 of 3 folds" in capsys.readouterr().out
    row = pd.read_csv(competition.project_paths.ledger, dtype=str).iloc[-1]
    names = row["runs"].split()
    assert names[0].startswith("baseline-")
    assert names[1].startswith("baseline-s3-")
    with refused("Train the missing folds"):
        submit(competition, run_names=["baseline", names[0]])


@pytest.mark.slow
def test_optimistic_scores_are_marked(competition, capsys):
    best = parse_overrides("training.keep=best training.epochs=1")
    train(competition, overrides=best, folds=[0], run="best")
    assert "OPTIMISTIC" in capsys.readouterr().out
    assert json.loads(competition.paths.run("best").score.read_text())["is_optimistic"] is True


def test_folds_of_older_data_are_refused(folded):
    table = pd.read_csv(folded.paths.folds)
    table.iloc[:-2].to_csv(folded.paths.folds, index=False)
    with refused(r"2 ids differ from the data .*make folds COMPETITION=small FORCE=1"):
        train(folded, folds=[0])
    make_folds(folded, force=True)
    assert len(pd.read_csv(folded.paths.folds)) == len(table)


def test_kept_folds_that_split_a_group_are_refused(folded):
    table = pd.read_csv(folded.paths.folds)
    several = table[table["group"].duplicated(keep=False)].index[0]
    table.loc[several, "fold"] = (table.loc[several, "fold"] + 1) % 3
    table.to_csv(folded.paths.folds, index=False)
    with refused("1 group is in two folds"):
        make_folds(folded)


def test_audit_joins_duplicates_and_reports_leaks(folded, capsys):
    table = make_folds(folded, force=True)
    said = capsys.readouterr().out
    assert "exact duplicates in train        2, each in one fold" in said
    assert "duplicates with different labels 1:" in said
    assert "train images found in test       1:" in said
    for cluster in table.leaks.duplicates:
        assert table.train.set_index("id").loc[cluster, "group"].nunique() == 1
    assert json.loads(folded.paths.folds_metadata.read_text())["audit"]["split_groups"] == 0


def test_class_in_too_few_groups_is_reported(project_folder, capsys):
    add_competition(project_folder, "rare", SMALL.replace("seed: 1,", "seed: 1, prevalence: 0.03,"))
    make_folds(Competition.open("rare"))
    assert "class target=1 is in" in capsys.readouterr().out


def test_group_larger_than_a_fold_is_reported(project_folder, capsys):
    add_competition(project_folder, "few", SMALL.replace("train_patients: 40", "train_patients: 10"))
    competition = Competition.open("few")
    download(competition)
    make_folds(competition)
    assert "the largest group" not in capsys.readouterr().out
    table = competition.paths.raw / "train.csv"
    lines = table.read_text().splitlines()
    patient = lines[0].split(",").index("patient_id")
    rows = [line.split(",") for line in lines[1:]]
    for row in rows[: len(rows) // 2]:
        row[patient] = "one"
    table.write_text("\n".join([lines[0], *(",".join(row) for row in rows), ""]))
    open_source(competition).write_manifest()
    make_folds(competition, force=True)
    assert "the largest group holds" in capsys.readouterr().out


def test_damaged_raw_data_is_refused_then_repaired(folded):
    victim = folded.paths.raw / "train.csv"
    victim.write_text("id\n")
    with refused(r"1 raw file is missing or changed: train.csv. Run: make download"):
        make_folds(folded)
    download(folded)
    make_folds(folded)


def test_unexpected_image_shape_raises_each_time(project_folder):
    add_competition(project_folder, "odd", SMALL.replace("expected_shape: [128, 128]", "expected_shape: [64, 64]"))
    for _ in range(2):
        with refused("128x128 pixels, expected 64x64"):
            make_folds(Competition.open("odd"))


def test_given_data_that_does_not_fit_is_not_complete(project_folder, tmp_path):
    facts = SMALL.replace(SMALL.splitlines()[1], "source: {kind: kaggle-dataset, slug: a/b}")
    add_competition(project_folder, "far", facts)
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "train.csv").write_text("id,target,patient_id,age,sex\n")
    competition = Competition.open("far")
    with refused("no such file"):
        download(competition, tmp_path / "wrong")
    assert not open_source(competition).is_complete


def test_grouped_data_needs_a_grouped_method(project_folder):
    add_competition(project_folder, "leaky", SMALL.replace("stratified-group", "stratified"))
    with refused("method stratified would split the groups"):
        make_folds(Competition.open("leaky"))


def test_train_does_not_start_a_download_from_kaggle(project_folder):
    facts = SMALL.replace(SMALL.splitlines()[1], "source: {kind: kaggle-dataset, slug: a/b}")
    add_competition(project_folder, "far", facts, TINY_RECIPE)
    with refused("no data yet. Run: make download COMPETITION=far$"):
        train(Competition.open("far"))


def test_order_of_runs_folds_and_rows_changes_nothing(folded):
    for name, quality in (("a", 1.0), ("b", 0.7), ("c", 1.3)):
        finished_run(folded, name, quality)
    submit(folded, run_names=["a", "b", "c"])
    (file,) = folded.paths.submissions.glob("*.csv")
    before, score = read_csv(file, id=str).set_index("id"), files.read_json(file.with_suffix(".json"))["score"]
    for path in (folded.paths.folds, folded.paths.raw / "sample_submission.csv"):
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([head, *rows[::-1], ""]))
    open_source(folded).write_manifest()
    submit(Competition.open("small"), run_names=["c", "a", "b"], force=True)
    (other,) = set(folded.paths.submissions.glob("*.csv")) - {file}
    after = read_csv(other, id=str).set_index("id")
    assert after.index.tolist() == before.index.tolist()[::-1]
    pd.testing.assert_frame_equal(after.loc[before.index], before, check_exact=True)
    assert files.read_json(other.with_suffix(".json"))["score"] == score


def test_scores_of_another_metric_are_counted_but_not_shown(folded, capsys):
    finished_run(folded)
    submit(folded)
    facts = folded.paths.facts_file
    facts.write_text(facts.read_text().replace("metric: auc", "metric: log_loss"))
    capsys.readouterr()
    scores(folded.project_paths, "small")
    said = capsys.readouterr().out
    assert "1 more were scored by another metric, and do not compare: 1 by auc" in said
    assert "baseline" not in said


def test_incomplete_data_set_is_refused(clone, tmp_path, monkeypatch):
    monkeypatch.chdir(clone)
    chest(tmp_path / "chest_xray")
    with refused("expected 5,216 train samples, found 101"):
        download(Competition.open("chest-xray-pneumonia"), path=tmp_path / "chest_xray")
