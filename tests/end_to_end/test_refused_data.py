"""Raw data that is damaged, incomplete or does not fit: refused, and usable once it is corrected."""

from medfold.commands.download import download
from medfold.commands.folds import make_folds
from medfold.commands.train import train
from medfold.competition import Competition
from medfold.data import open_source
from tests.support.chest_xrays import chest
from tests.support.helpers import refused, replaced
from tests.support.small_project import SMALL, TINY_RECIPE, add_competition


def test_damaged_raw_data_is_refused_then_repaired(folded):
    victim = folded.paths.raw / "train.csv"
    victim.write_text("id\n")
    with refused(r"1 raw file is missing or changed: train.csv. Run: make download"):
        make_folds(folded)
    download(folded)
    make_folds(folded)


def test_unexpected_image_shape_raises_each_time(project_folder):
    add_competition(project_folder, "odd", replaced(SMALL, ("expected_shape: [128, 128]", "expected_shape: [64, 64]")))
    for _ in range(2):
        with refused("128x128 pixels, expected 64x64"):
            make_folds(Competition.open("odd"))


def test_given_data_that_does_not_fit_is_not_complete(project_folder, tmp_path):
    facts = SMALL.replace(SMALL.splitlines()[1], "source: {kind: kaggle_dataset, slug: a/b}")
    add_competition(project_folder, "far", facts)
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "train.csv").write_text("id,target,patient_id,age,sex\n")
    competition = Competition.open("far")
    with refused("no such file"):
        download(competition, tmp_path / "wrong")
    assert not open_source(competition).is_complete


def test_train_does_not_start_a_download_from_kaggle(project_folder):
    facts = SMALL.replace(SMALL.splitlines()[1], "source: {kind: kaggle_dataset, slug: a/b}")
    add_competition(project_folder, "far", facts, TINY_RECIPE)
    with refused("no data yet. Run: make download COMPETITION=far$"):
        train(Competition.open("far"))


def test_incomplete_data_set_is_refused(clone, tmp_path, monkeypatch):
    monkeypatch.chdir(clone)
    chest(tmp_path / "chest_xray")
    with refused("expected 5,216 train samples, found 101"):
        download(Competition.open("chest-xray-pneumonia"), path=tmp_path / "chest_xray")
