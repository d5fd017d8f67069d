"""The submission bundle: its contents, its hashes, that it holds nothing private, and how a notebook opens it."""

import json
import shutil
from zipfile import ZipFile

import pandas as pd
import pytest

from medfold.commands.notebook import notebook
from medfold.commands.submit import submit
from medfold.commands.train import train
from medfold.competition import Competition, Recipe, active_plugins, parse_overrides
from medfold.new_images import MemberRun
from medfold.notebooks import SubmissionBundle, predict_hidden_test
from medfold.notebooks.submission_bundle import SubmissionManifest
from medfold.runs import TrainedRun
from medfold.system import json_files
from medfold.system.hashes import sha256
from tests.support import kaggle_image
from tests.support.helpers import competition_facts, refused
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
    competition = packed_project.competition
    monkeypatch.chdir(competition.project_paths.root)
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    monkeypatch.setenv("HOME", str(tmp_path / "home of alice"))
    packed = notebook(competition, ["baseline"])
    table = pd.read_csv(competition.paths.raw / "train.csv", dtype=str)
    test = pd.read_csv(competition.paths.raw / "sample_submission.csv", dtype=str)
    secrets = [
        TOKEN,
        KEY,
        str(tmp_path),
        str(competition.project_paths.root),
        *table["patient_id"],
        *table["id"],
        *test["id"],
    ]
    images = [path.read_bytes() for path in competition.paths.raw.rglob("*.png")]
    seen = list(contents(packed.notebook.parent))
    assert len(seen) > 100
    for name, data in seen:
        assert [secret for secret in secrets if secret.encode() in data] == [], name
        assert data not in images, name
    assert {name for name, _ in seen if name.endswith((".png", ".csv"))} == set()


@pytest.mark.slow
def test_equal_folds_give_equal_bundles(packed_project, monkeypatch):
    competition = packed_project.competition
    monkeypatch.chdir(competition.project_paths.root)
    before = {path.name: path.read_bytes() for path in packed_project.folder.iterdir()}
    notebook(competition, ["baseline"])
    assert {path.name: path.read_bytes() for path in packed_project.folder.iterdir()} == before


def test_manifest_lists_every_file_with_hash(packed_project):
    about = json.loads((packed_project.folder / "kit.json").read_text())
    others = {path.name: sha256(path) for path in packed_project.folder.iterdir() if path.name != "kit.json"}
    assert about["files"] == others
    assert set(about["competition_files"]) == {"competition/small/baseline.yaml", "competition/small/competition.yaml"}
    assert about["runs"][0]["folds"] == [0, 1, 2]
    assert about["slug"] == "small"


def test_recipes_are_packed_without_folders_of_this_machine(packed_project):
    (packed,) = json_files.read(packed_project.folder / "kit.json")["runs"]
    assert packed["recipe"] == TrainedRun.open(packed_project.competition, "baseline").recipe.portable()


def test_bundle_of_untrained_run_is_refused(packed_project, monkeypatch):
    monkeypatch.chdir(packed_project.competition.project_paths.root)
    with refused("run 'other' is not trained"):
        notebook(packed_project.competition, ["other"])


@pytest.mark.slow
def test_bundle_of_several_runs_predicts_local_ensemble(packed_project, monkeypatch, tmp_path):
    root = tmp_path / "two runs"
    shutil.copytree(packed_project.competition.project_paths.root, root)
    monkeypatch.chdir(root)
    competition = Competition.open("small")
    train(competition, overrides=parse_overrides("preparation.size=24 tta=false"), run="other")
    shutil.rmtree(competition.paths.submissions)
    submit(competition, run_names=["baseline", "other"], method="rank", dry_run=True)
    (local_submission,) = competition.paths.submissions.glob("*.csv")
    packed = notebook(competition, ["baseline", "other"], method="rank")
    kaggle_image.attach(tmp_path, "new", "small", competition.paths.raw, packed.folder)

    predict_hidden_test(SubmissionBundle.open(packed.folder), tmp_path / "input", tmp_path / "out.csv", 1)
    assert (tmp_path / "out.csv").read_bytes() == local_submission.read_bytes()


def test_folder_without_a_bundle_is_refused(tmp_path):
    with refused(r"no kit\.json"):
        SubmissionBundle.open(tmp_path)


@pytest.fixture
def copied_bundle(packed_project, tmp_path):
    """The folder of a bundle that a test may change."""
    return shutil.copytree(packed_project.folder, tmp_path / "kit")


def test_damaged_weights_are_named(copied_bundle):
    weights = copied_bundle / "baseline-fold1.h5"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with refused("missing or damaged: baseline-fold1"):
        SubmissionBundle.open(copied_bundle)


def test_files_that_were_not_packed_are_not_used(copied_bundle):
    (copied_bundle / "plugins.py").write_text("raise SystemExit('run')\n")
    SubmissionBundle.open(copied_bundle)
    assert active_plugins() is None
    manifest = json.loads((copied_bundle / "kit.json").read_text())
    del manifest["files"]["baseline-fold1.h5"]
    (copied_bundle / "kit.json").write_text(json.dumps(manifest))
    with refused("'baseline-fold1.h5' is not among the files that were packed. Pack the bundle again"):
        SubmissionBundle.open(copied_bundle)


def test_recipe_with_an_unknown_key_is_refused(copied_bundle):
    manifest = json.loads((copied_bundle / "kit.json").read_text())
    manifest["runs"][0]["recipe"]["sise"] = 3
    (copied_bundle / "kit.json").write_text(json.dumps(manifest))
    with refused(r"kit\.json: .*'sise'"):
        SubmissionBundle.open(copied_bundle)


def test_missing_package_is_named(copied_bundle):
    manifest = json.loads((copied_bundle / "kit.json").read_text())
    (copied_bundle / "kit.json").write_text(json.dumps({**manifest, "packages": ["no-such-package"]}))
    with refused("packages are not installed: no-such-package"):
        SubmissionBundle.open(copied_bundle)


@pytest.fixture
def opened(tmp_path):
    """An opened bundle of a competition whose images are in the folder `set`."""
    images = {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1, "root": "set"}
    weights = [tmp_path / f"fold{fold}.h5" for fold in range(2)]
    manifest = SubmissionManifest(
        files={},
        packages=[],
        medfold="1.0",
        slug="histology",
        score="AUC 0.9, all 5 folds",
        facts={},
        runs=[],
        fallback=[0.5],
    )
    return SubmissionBundle(
        tmp_path, manifest, competition_facts(images=images), [MemberRun("one", Recipe(), weights)], None
    )


def test_data_is_in_the_root_of_the_images_or_in_the_mount_itself(opened, tmp_path):
    mount = tmp_path / "input" / "competitions" / "histology"
    mount.mkdir(parents=True)
    assert opened.data_folder(tmp_path / "input") == mount
    (mount / "set").mkdir()
    assert opened.data_folder(str(tmp_path / "input")) == mount / "set"


def test_bundle_as_text_has_runs_and_score(opened):
    assert str(opened).splitlines() == [
        "competition  test",
        "runs         one (2 folds)",
        "OOF score    AUC 0.9, all 5 folds",
        "medfold      1.0",
    ]
