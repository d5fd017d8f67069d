"""make new: a competition folder drafted from raw files."""

import numpy as np
import pytest
import yaml

from medfold.commands.folds import make_folds
from medfold.commands.new import new
from medfold.competition import Competition, Recipe, load_recipe, preparation_settings
from medfold.paths import ProjectPaths
from tests.lookalikes import LOOKALIKES
from tests.support.helpers import picture, refused


@pytest.fixture
def histology(tmp_path):
    folder = tmp_path / "as shipped"
    LOOKALIKES["histopathologic-cancer-detection"](folder, np.random.default_rng(0))
    return folder


def test_new_folder_works_once_the_metric_is_filled_in(project_folder, histology, capsys):
    new(ProjectPaths.find(), "tissue", histology)
    said = capsys.readouterr().out
    for words in (
        "labels.id ",
        "train/{id}.tif",
        "score.metric: fill it in, for example auc",
        "labels.group: patients unknown",
    ):
        assert words in said
    folder = project_folder / "competition" / "tissue"
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "baseline.yaml",
        "competition.yaml",
        "gpu.yaml",
    }
    drafted = yaml.safe_load((folder / "competition.yaml").read_text())
    assert drafted.get("submission", {}).get("id") is None  # as the id column of the labels
    assert "folds" not in drafted
    with refused(r"'score.metric': not filled in yet"):
        Competition.open("tissue")
    text = (folder / "competition.yaml").read_text()
    assert "metric: # fill in" in text
    (folder / "competition.yaml").write_text(text.replace("metric: #", "metric: auc #"))
    competition = Competition.open("tissue")
    dataset = make_folds(competition, preparation=preparation_settings(competition, "baseline"))
    assert (len(dataset.train), len(dataset.test)) == (60, 20)
    assert load_recipe(competition.paths, "baseline", {}) == Recipe(
        preparation={"size": 96, "fit": "pad"}, training={"epochs": 40}
    )
    assert "extends: gpu_small" in (folder / "gpu.yaml").read_text()


def test_new_uses_raw_data_already_in_place(project_folder, histology):
    raw = project_folder / "data" / "tissue" / "raw"
    raw.parent.mkdir(parents=True)
    histology.rename(raw)
    new(ProjectPaths.find(), "https://www.kaggle.com/competitions/tissue/data")
    facts = yaml.safe_load((project_folder / "competition" / "tissue" / "competition.yaml").read_text())
    assert facts["source"] == {"kind": "kaggle", "slug": "tissue"}
    assert ProjectPaths.find().competition("tissue").raw_manifest.is_file()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("small", "this competition exists already"),
        ("_base", "not usable as the name of a folder"),
        ("a/b/c", "neither a name nor a Kaggle address"),
        (".hidden", "not usable as the name of a folder"),
        ("", "not usable as the name of a folder"),
    ],
)
def test_taken_or_invalid_names_are_refused(project_folder, histology, name, message):
    with refused(message):
        new(ProjectPaths.find(), name, histology)


@pytest.mark.parametrize("has_files", [True, False])
def test_a_name_with_spaces_is_refused_and_one_without_is_suggested(project_folder, histology, has_files):
    with refused(": the name has spaces. Write COMPETITION=foo-bar$"):
        new(ProjectPaths.find(), "Foo  Bar", histology if has_files else None)
    assert not (project_folder / "competition" / "Foo  Bar").exists()


@pytest.mark.parametrize("text", ["somebody/tissue", "https://www.kaggle.com/datasets/somebody/tissue/data"])
def test_slug_or_address_of_a_data_set_gives_source_kaggle_dataset(project_folder, histology, text):
    new(ProjectPaths.find(), text, histology)
    folder = project_folder / "competition" / "tissue"
    facts = yaml.safe_load((folder / "competition.yaml").read_text())
    assert facts["source"] == {"kind": "kaggle_dataset", "slug": "somebody/tissue"}
    assert "url" not in facts  # source names it
    assert "https://www.kaggle.com/datasets/somebody/tissue" in (folder / "README.md").read_text().splitlines()


def test_refused_input_leaves_no_files(project_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    before = sorted(project_folder.rglob("*"))
    for given, message in (("gone", "no such file or folder"), ("empty", ": contains no files")):
        with refused(message):
            new(ProjectPaths.find(), "odd", tmp_path / given)
        assert sorted(project_folder.rglob("*")) == before


def test_unusable_files_raise_and_leave_no_folder(project_folder, tmp_path):
    given = tmp_path / "given"
    picture(given / "a" / "1.png")
    for content, message in (
        ({"notes.txt": "no table"}, "neither a table with the ids of images, nor folders"),
        (
            {"train.csv": "id,target\nx,0\ny,1\n"},
            "2 rows, but no column has the names of the 1 image: its first row: id x",
        ),
    ):
        for name, text in content.items():
            (given / name).write_text(text)
        with refused(message):
            new(ProjectPaths.find(), "odd", given)
        assert not (project_folder / "competition" / "odd").exists()


def test_local_files_give_source_own_and_no_upload(project_folder, histology, capsys):
    new(ProjectPaths.find(), "tissue", histology)
    said = capsys.readouterr().out
    text = (project_folder / "competition" / "tissue" / "competition.yaml").read_text()
    facts = yaml.safe_load(text)
    assert (facts["source"], facts["upload"]) == ({"kind": "own"}, "none")
    assert "kaggle.com" not in text
    assert "upload: none, since no competition on Kaggle is known" in said
    assert said.count("upload  ") == 1
    readme = (project_folder / "competition" / "tissue" / "README.md").read_text()
    assert "    export COMPETITION=tissue\n    make download FROM=folder-or-archive\n    make folds\n" in readme
    assert "kaggle.com" not in readme


def test_without_test_images_the_size_of_the_future_test_part_is_reported(project_folder, capsys, tmp_path):
    for number in range(10):
        for label in ("normal", "tumour"):
            picture(tmp_path / "given" / label / f"{label}{number}.png", seed=2 * number + (label == "tumour"))
    new(ProjectPaths.find(), "scans", tmp_path / "given")
    said = capsys.readouterr().out
    assert "20 images; 20% of them become the test set when the folds are made, with these facts" in said
