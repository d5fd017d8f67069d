"""The submission bundle: its contents, its hashes, and that it holds nothing private."""

import json
import shutil
from zipfile import ZipFile

import pandas as pd
import pytest

from medfold.commands.notebook import notebook
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition.project import Project
from medfold.competition.recipe import parse_overrides
from medfold.errors import UserError
from medfold.system import files
from tests.support import kaggle_image
from tests.support.kaggle_server import KEY, TOKEN


def contents(folder):
    """Yields name and bytes of every uploaded file; wheels are unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".whl":
            with ZipFile(path) as wheel:
                yield from ((f"{path.name}/{name}", wheel.read(name)) for name in wheel.namelist())
        elif path.is_file():
            yield path.name, path.read_bytes()


def test_bundle_contains_no_secrets_or_images(packed_project, prebuilt_wheel, monkeypatch, tmp_path):
    project = packed_project.project
    monkeypatch.chdir(project.workspace.root)
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    monkeypatch.setenv("HOME", str(tmp_path / "home of alice"))
    packed = notebook(project, ["baseline"])
    table = pd.read_csv(project.paths.raw / "train.csv", dtype=str)
    test = pd.read_csv(project.paths.raw / "sample_submission.csv", dtype=str)
    secrets = [TOKEN, KEY, str(tmp_path), str(project.workspace.root), *table["patient_id"], *table["id"], *test["id"]]
    images = [path.read_bytes() for path in project.paths.raw.rglob("*.png")]
    seen = list(contents(packed.notebook.parent))
    assert len(seen) > 100
    for name, data in seen:
        assert [secret for secret in secrets if secret.encode() in data] == [], name
        assert data not in images, name
    assert {name for name, _ in seen if name.endswith((".png", ".csv"))} == set()


def test_equal_folds_give_equal_bundles(packed_project, monkeypatch):
    project = packed_project.project
    monkeypatch.chdir(project.workspace.root)
    before = {path.name: path.read_bytes() for path in packed_project.folder.iterdir()}
    notebook(project, ["baseline"])
    assert {path.name: path.read_bytes() for path in packed_project.folder.iterdir()} == before


def test_manifest_lists_every_file_with_hash(packed_project):
    about = json.loads((packed_project.folder / "kit.json").read_text())
    others = {path.name: files.sha256(path) for path in packed_project.folder.iterdir() if path.name != "kit.json"}
    assert about["files"] == others
    assert set(about["competition_files"]) == {"competition/small/baseline.yaml", "competition/small/competition.yaml"}
    assert about["runs"][0]["folds"] == [0, 1, 2]
    assert about["slug"] == "small"


def test_local_weights_path_is_stripped(packed_project, monkeypatch, tmp_path):
    from medfold.competition.recipe import Recipe
    from medfold.notebooks import write_submission_bundle
    from medfold.runs import TrainedRun

    recipe = Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": str(tmp_path / "my.h5")}})
    metadata = {"recipe": recipe.model_dump(mode="json")}
    run = TrainedRun(packed_project.project.paths.run("baseline"), metadata, [0])
    assert write_submission_bundle._copy_weights(run, tmp_path)["recipe"]["backbone"]["weights"] == "my.h5"


def test_bundle_of_untrained_run_raises(packed_project, monkeypatch):
    monkeypatch.chdir(packed_project.project.workspace.root)
    with pytest.raises(UserError, match="run 'other' is not trained"):
        notebook(packed_project.project, ["other"])


@pytest.mark.slow
def test_bundle_of_several_runs_predicts_local_ensemble(packed_project, monkeypatch, tmp_path):
    root = tmp_path / "two runs"
    shutil.copytree(packed_project.project.workspace.root, root)
    monkeypatch.chdir(root)
    project = Project.open("small")
    train(project, overrides=parse_overrides("images.size=24 tta=false"), run="other")
    shutil.rmtree(project.paths.submissions)
    submit(project, run_names=["baseline", "other"], method="rank", dry_run=True)
    (local_submission,) = project.paths.submissions.glob("*.csv")
    packed = notebook(project, ["baseline", "other"], method="rank")
    kaggle_image.attach(tmp_path, "new", "small", project.paths.raw, packed.folder)

    from medfold.notebooks import SubmissionBundle, predict_hidden_test

    predict_hidden_test(SubmissionBundle.open(packed.folder), tmp_path / "input", tmp_path / "out.csv", 1)
    assert (tmp_path / "out.csv").read_bytes() == local_submission.read_bytes()
