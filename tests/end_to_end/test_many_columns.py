"""A run with more than 100 labels, whose tables are .npz files: scored, submitted, compared, and computed again."""

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.competition import Competition
from medfold.paths import RunPaths
from medfold.runs import compare_runs
from medfold.system import json_files
from medfold.system.hashes import sha256
from medfold.tables import csv_text
from tests.support.finished_runs import noisy_run
from tests.support.small_project import add_competition

NUM_LABELS = 101


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A competition with 101 labels and a few small images, and its folds."""
    rng, monkey = np.random.default_rng(0), monkeypatch
    names = [f"label_{number}" for number in range(NUM_LABELS)]
    facts = {
        "title": "Many labels",
        "source": {"kind": "own"},
        "upload": "none",
        "task": "multilabel",
        "labels": {"file": "train.csv", "targets": names},
        "images": {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1, "symmetry": "none"},
        "score": {"metric": "mean_auc"},
        "submission": {"sample": "sample_submission.csv"},
        "folds": {"k": 2, "seed": 0},
    }
    add_competition(tmp_path, "many", yaml.safe_dump(facts))
    monkey.chdir(tmp_path)
    for part, num_images in (("train", 24), ("test", 6)):
        (tmp_path / "raw" / part).mkdir(parents=True)
        for number in range(num_images):
            pixels = rng.integers(0, 256, (32, 32), np.uint8)
            cv2.imwrite(str(tmp_path / "raw" / part / f"{part}{number}.png"), pixels)
    labels = pd.DataFrame(rng.integers(0, 2, (24, NUM_LABELS)), columns=names)
    labels.insert(0, "id", [f"train{number}" for number in range(24)])
    labels.to_csv(tmp_path / "raw" / "train.csv", index=False)
    sample = pd.DataFrame(0.5, index=range(6), columns=names)
    sample.insert(0, "id", [f"test{number}" for number in range(6)])
    sample.to_csv(tmp_path / "raw" / "sample_submission.csv", index=False)
    from medfold.commands.download import download

    competition = Competition.open("many")
    download(competition, path=tmp_path / "raw")
    return competition


def write_as_before(paths: RunPaths, folds: list[int]) -> None:
    """Replaces the .npz files of folds by the CSV files that earlier versions wrote."""
    for fold in (paths.fold(number) for number in folds):
        for file in (fold.oof, fold.test):
            with np.load(file) as content:
                table = pd.DataFrame(content["numbers"], columns=content["columns"])
                for position, name in enumerate(set(content.files) - {"columns", "numbers"}):
                    table.insert(position, name, content[name])
            file.with_suffix(".csv").write_text(csv_text(table[["id", *table.columns.drop("id")]]))
            file.unlink()
        json_files.write({path.name: sha256(path) for path in (fold.oof, fold.test)}, fold.trained_marker)


@pytest.mark.slow
def test_recheck_agrees_with_a_run_and_its_submission(many, capsys):
    noisy_run(many, "one", noise=0.5)
    noisy_run(many, "two", noise=3)
    run = many.paths.run("one")
    assert [path.name for path in (run.oof, run.fold(0).oof, run.fold(0).test)] == ["oof.npz", "oof.npz", "test.npz"]
    submit(many, run_names=["one"])
    submit(many, run_names=["one", "two"], method="mean")
    assert len(list(many.paths.submissions.glob("recheck/*.oof.npz"))) == 2
    recheck(many)
    assert "identical" in capsys.readouterr().out
    assert compare_runs(many, ["two", "one"]).difference.low > 0


@pytest.mark.slow
def test_folds_of_an_earlier_version_are_read_beside_new_ones(many):
    from medfold.data import make_dataset
    from medfold.recheck import run_differences
    from medfold.runs import write_oof

    noisy_run(many, "one")
    run, dataset = many.paths.run("one"), make_dataset(many)
    before = json_files.read(run.score)
    write_as_before(run, [0])
    assert run.fold(0).oof.name == "oof.csv"
    after = write_oof(many.facts, run, dataset.train, dataset.targets)
    assert after.value == pytest.approx(before["value"], abs=1e-8)
    assert not list(run_differences(many.facts, many.paths, run))
    run.oof.unlink()
    assert list(run_differences(many.facts, many.paths, run)) == ["oof.csv differs from the oof.csv of the folds"]
