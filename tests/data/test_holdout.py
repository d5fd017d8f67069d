"""The holdout: labelled samples that become the test set."""

import cv2
import numpy as np
import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.recheck import recheck
from medfold.commands.submit import submit
from medfold.competition import Competition, preparation_settings
from medfold.data import needs_holdout, read_samples
from medfold.images import read_measurements
from medfold.tables import read_csv
from tests.support.finished_runs import finished_run
from tests.support.helpers import picture, replaced
from tests.support.holdouts import FACTS
from tests.support.small_project import add_competition


def test_holdout_has_the_requested_share_and_keeps_copies_together(holdout_project, capsys):
    download(holdout_project, force=True, path=holdout_project.paths.raw.parents[2].parent / "given")
    assert "81 images; 30% of them become the test set when the folds are made" in capsys.readouterr().out
    assert needs_holdout(holdout_project.paths)
    dataset = make_folds(holdout_project)
    said = capsys.readouterr().out
    assert "holdout    24 of 80 images (30.0%, 30.0% requested) become the test set; copies of an image" in said
    assert "train images found in test       none" in said
    table = read_samples(holdout_project.facts, holdout_project.paths)
    part = table[table["id"] != "broken"].assign(twin=lambda rows: rows["id"].str[-2:]).groupby("twin")["part"]
    assert part.nunique().max() == 1
    assert len(dataset.test) == 24
    assert table.loc[table["id"] == "broken", "part"].item() == "train"
    assert table.loc[table["part"] == "test", "sick"].isna().all()
    solution = pd.read_csv(holdout_project.paths.solution, dtype=str)
    assert sorted(solution["id"]) == sorted(table.loc[table["part"] == "test", "id"])
    assert (solution["sick"] == "yes").sum() == 6


def test_holdout_is_stable_and_decodes_images_once(holdout_project, capsys, monkeypatch):
    recipe = preparation_settings(holdout_project, "baseline")
    first = make_folds(holdout_project, preparation=recipe)
    before = read_csv(holdout_project.paths.samples)
    capsys.readouterr()
    monkeypatch.setattr("medfold.images.scan.map_in_workers", lambda *words: pytest.fail("an image was decoded again"))
    again = make_folds(holdout_project, preparation=recipe)
    assert "holdout" not in capsys.readouterr().out
    assert first.test.equals(again.test)
    measured = read_measurements(holdout_project)
    assert sorted(measured["id"]) == sorted(before["id"])
    holdout_project.paths.samples.unlink()  # built again from the raw data, with the same holdout
    assert make_folds(holdout_project, preparation=recipe).train["id"].tolist() == first.train["id"].tolist()
    assert read_csv(holdout_project.paths.samples).equals(before)


@pytest.mark.slow
def test_holdout_is_scored_and_rechecked(holdout_project, capsys):
    finished_run(holdout_project, "noise", quality=0.5)
    submit(holdout_project, run_names=["noise"], force=True)
    assert "24 images" in capsys.readouterr().out
    holdout_project.paths.samples.unlink()
    recheck(holdout_project)
    assert capsys.readouterr().out.count("recomputed: identical") == 2


@pytest.mark.slow
def test_near_duplicates_stay_together(project_folder, tmp_path):

    given = tmp_path / "given"
    for number in range(40):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8), np.uint8)
        large = cv2.resize(pixels, (64, 64), interpolation=cv2.INTER_CUBIC)
        folder = given / ("yes" if number % 4 == 0 else "no")
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number:02}.png"), large)
        cv2.imwrite(str(folder / f"like{number:02}.png"), np.clip(large.astype(int) + 2, 0, 255).astype(np.uint8))
    add_competition(project_folder, "near", replaced(FACTS, ("duplicates: exact", "duplicates: near")))
    competition = Competition.open("near")
    download(competition, path=given)
    dataset = make_folds(competition)
    assert not {id[-2:] for id in dataset.train["id"]} & {id[-2:] for id in dataset.test["id"]}
    assert len(dataset.test) == 24


def test_multilabel_holdout_hides_all_labels(project_folder, tmp_path):
    given = tmp_path / "given"
    rows = ["image,a,b,c"]
    for number in range(30):
        picture(given / f"i{number:02}.png", seed=number)
        rows.append(f"i{number:02},{number % 2},{number % 3 // 2},{number % 5 // 4}")
    (given / "train.csv").write_text("\n".join(rows) + "\n")
    facts = replaced(
        FACTS, ("task: binary\nclasses: [no, yes]", "task: multilabel"), ("metric: auc", "metric: mean_auc")
    )
    facts = replaced(
        facts,
        (
            "{layout: folders, targets: [sick], holdout: 0.3}",
            "{file: train.csv, id: image, targets: [a, b, c], holdout: 0.3}",
        ),
    )
    add_competition(project_folder, "many", replaced(facts, ("{label}/{id}.png", "{id}.png")))
    competition = Competition.open("many")
    download(competition, path=given)
    dataset = make_folds(competition)
    assert len(dataset.test) == 9
    table = read_samples(competition.facts, competition.paths)
    assert table.loc[table["part"] == "test", ["a", "b", "c"]].isna().all(axis=None)
    solution = pd.read_csv(competition.paths.solution, dtype=str)
    assert solution[["a", "b", "c"]].isin(["0", "1"]).all(axis=None)
