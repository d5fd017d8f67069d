"""The submission notebook, executed in a kernel with the packages of Kaggle's image and without network."""

import shutil
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.notebook import notebook
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import Competition, parse_overrides
from medfold.notebooks import wheels
from medfold.paths import ProjectPaths
from tests.lookalikes import LOOKALIKES, plant
from tests.support import kaggle_image
from tests.support.helpers import REPOSITORY, NoLeaderboard, replaced
from tests.support.small_project import SMALL, TINY_RECIPE, add_base_recipes, add_competition


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment like that of Kaggle."""
    return kaggle_image.make(tmp_path_factory.mktemp("an image") / "venv")


@pytest.mark.slow
@pytest.mark.parametrize("mount_style", ["old", "new"])
def test_executed_notebook_writes_the_local_submission(packed_project, python, tmp_path, mount_style):
    root = tmp_path / "kaggle"
    kaggle_image.attach(root, mount_style, "small", packed_project.competition.paths.raw, packed_project.folder)
    output = kaggle_image.run(packed_project.notebook, python, root)
    kaggle_image.assert_same(root / "working" / "submission.csv", packed_project.submission)
    assert "baseline (3 folds)" in output
    assert "44 rows, checked" in output


@pytest.fixture
def no_leaderboard(monkeypatch):
    """Submissions are checked and not uploaded."""
    monkeypatch.setattr("medfold.commands.submit.leaderboard_of", NoLeaderboard.of)


@pytest.fixture
def dicom_wheels(tmp_path, monkeypatch):
    """Makes pip find wheels of the packages that Kaggle lacks, for this version of Python only."""
    for name in wheels.DICOM_PACKAGES:
        kaggle_image.repacked(name, tmp_path / "wheels")
    monkeypatch.setattr(wheels, "PYTHON_VERSIONS", (".".join(map(str, sys.version_info[:2])),))
    monkeypatch.setattr(wheels, "LOCK", tmp_path / "no lock")  # a wheel that is packed again has another hash
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))


@pytest.mark.slow
def test_notebook_predicts_compressed_dicom_as_locally(tmp_path, monkeypatch, python, dicom_wheels, no_leaderboard):
    name = "rsna-breast-cancer-detection"
    project_paths = ProjectPaths(tmp_path / "my project")
    add_base_recipes(project_paths.root)
    truth = LOOKALIKES[name](tmp_path / "as shipped", np.random.default_rng(0))
    plant(project_paths.root, name, truth["counts"])
    monkeypatch.chdir(project_paths.root)
    competition = Competition.open(name, project_paths)
    download(competition, path=tmp_path / "as shipped")
    settings = "preparation.size=32 backbone.width=4 training.epochs=1 training.batch_size=16 training.warmup=0"
    train(competition, overrides=parse_overrides(settings), folds=[0], run="step")
    submit(competition, run_names=["step"], force=True)  # one epoch: no better than chance
    packed = notebook(competition, ["step"])
    kaggle = tmp_path / "kaggle"
    kaggle_image.attach(kaggle, "new", name, tmp_path / "as shipped", packed.folder)
    output = kaggle_image.run(packed.notebook, python, kaggle)
    (local_submission,) = competition.paths.submissions.glob("*.csv")
    kaggle_image.assert_same(kaggle / "working" / "submission.csv", local_submission.read_bytes())
    assert f"pydicom=={version('pydicom')}" in packed.notebook.read_text()
    assert "unreadable" not in output


def _raw_data_with(folder, images: int, competition: Competition):
    """Copies the raw data of the small phantom with this number of test images, some of them equal."""
    shutil.copytree(competition.paths.raw, folder)
    sample = pd.read_csv(folder / "sample_submission.csv")
    known = sample["id"].tolist()
    names = [f"hidden{number:05}" for number in range(images)]
    for number, name in enumerate(names):
        shutil.copy(folder / "test" / f"{known[number % len(known)]}.png", folder / "test" / f"{name}.png")
    for name in known:
        (folder / "test" / f"{name}.png").unlink()
    pd.DataFrame({"id": names, "target": 0.5}).to_csv(folder / "sample_submission.csv", index=False)
    return folder


@pytest.mark.slow
def test_notebook_handles_few_or_many_test_images(packed_project, tmp_path, monkeypatch, python, no_leaderboard):
    source = "source: {kind: kaggle, slug: hidden}\nupload: notebook"
    facts = replaced(SMALL, ("upload: none", source)).split("\n", 2)
    facts = "\n".join([facts[0], facts[2]])
    projects = {}
    for images in (3, 600):
        shipped = _raw_data_with(tmp_path / f"shipped {images}", images, packed_project.competition)
        project_paths = ProjectPaths(tmp_path / f"project of {images}")
        add_competition(project_paths.root, "hidden", facts, TINY_RECIPE)
        monkeypatch.chdir(project_paths.root)
        competition = Competition.open("hidden", project_paths)
        download(competition, path=shipped)
        train(competition)
        submit(competition)
        (local_submission,) = competition.paths.submissions.glob("*.csv")
        projects[images] = (shipped, competition, local_submission.read_bytes())

    monkeypatch.chdir(tmp_path / "project of 3")
    packed = notebook(projects[3][1], ["baseline"])
    for images, (shipped, _, local_submission) in projects.items():
        kaggle = tmp_path / f"kaggle {images}"
        kaggle_image.attach(kaggle, "new", "hidden", shipped, packed.folder)
        kaggle_image.run(packed.notebook, python, kaggle)
        kaggle_image.assert_same(kaggle / "working" / "submission.csv", local_submission)

    shipped = projects[600][0]
    broken = sorted((shipped / "test").iterdir())[:30]
    for number, path in enumerate(broken):
        path.write_bytes(path.read_bytes()[: 10 * number])
    output = kaggle_image.run(packed.notebook, python, kaggle)
    assert "30 of 600 test units have no readable image" in output
    found = pd.read_csv(kaggle / "working" / "submission.csv", index_col="id")["target"]
    assert found.iloc[:30].nunique() == 1
    assert found.iloc[30:].nunique() > 30

    output = kaggle_image.run(packed.notebook, python, kaggle, hours=1 / 3600)
    assert "images would take" in output or "were not reached" in output
    assert len(pd.read_csv(kaggle / "working" / "submission.csv")) == 600


@pytest.mark.slow
def test_phantom_chest_notebook_writes_the_local_submission(tmp_path, monkeypatch, python):
    project_paths = ProjectPaths(tmp_path / "my project")
    add_base_recipes(project_paths.root)
    shutil.copytree(REPOSITORY / "competition" / "phantom-chest", project_paths.root / "competition" / "phantom-chest")
    monkeypatch.chdir(project_paths.root)
    competition = Competition.open("phantom-chest", project_paths)
    download(competition)
    train(competition, overrides=parse_overrides("training.epochs=1"), folds=[0], run="short")
    submit(competition, run_names=["short"])
    packed = notebook(competition, ["short"])
    kaggle_image.attach(tmp_path / "kaggle", "old", "phantom-chest", competition.paths.raw, packed.folder)
    kaggle_image.run(packed.notebook, python, tmp_path / "kaggle")
    (local_submission,) = competition.paths.submissions.glob("*.csv")
    kaggle_image.assert_same(tmp_path / "kaggle" / "working" / "submission.csv", local_submission.read_bytes())
