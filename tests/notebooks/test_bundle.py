"""The bundle of a submission, opened in a notebook."""

import json
import shutil

import pytest

from medfold.competition.recipe import Recipe
from medfold.ensemble.ensemble_predictor import MemberRun
from medfold.errors import UserError
from medfold.notebooks import SubmissionBundle
from medfold.notebooks.bundle import MANIFEST, open_bundle
from medfold.system import files
from tests.support.helpers import competition, refused


def test_incomplete_bundle_raises(packed_project, tmp_path):
    with pytest.raises(UserError, match=r"no kit\.json"):
        SubmissionBundle.open(tmp_path)
    shutil.copytree(packed_project.folder, tmp_path / "kit")
    weights = tmp_path / "kit" / "baseline-fold1.h5"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(UserError, match="missing or damaged: baseline-fold1"):
        SubmissionBundle.open(tmp_path / "kit")
    about = json.loads((packed_project.folder / "kit.json").read_text())
    shutil.copy(packed_project.folder / "baseline-fold1.h5", weights)
    (tmp_path / "kit" / "kit.json").write_text(json.dumps({**about, "packages": ["no-such-package"]}))
    with pytest.raises(UserError, match="packages are not installed: no-such-package"):
        SubmissionBundle.open(tmp_path / "kit")


@pytest.fixture
def opened(tmp_path):
    """An opened bundle of a competition whose images are in the folder `set`."""
    images = {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1, "root": "set"}
    weights = [tmp_path / f"fold{fold}.h5" for fold in range(2)]
    manifest = {"slug": "histology", "score": "AUC 0.9, all 5 folds", "medfold": "1.0"}
    return SubmissionBundle(tmp_path, manifest, competition(images=images), [MemberRun("one", Recipe(), weights)], None)


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


def write_bundle(folder, **changes):
    """Writes a manifest that names one file and one package."""
    (folder / "a.txt").write_text("a")
    manifest = {"files": {"a.txt": files.sha256(folder / "a.txt")}, "packages": ["numpy"], **changes}
    files.write_json(manifest, folder / MANIFEST)


def test_complete_bundle_is_opened(tmp_path):
    write_bundle(tmp_path, mark=1)
    assert open_bundle(tmp_path, MANIFEST)["mark"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": {"a.txt": "0" * 64}}, "files are missing or damaged: a.txt. Upload the data set again"),
        ({"files": {"b.txt": "0" * 64}}, "files are missing or damaged: b.txt"),
        ({"packages": ["no-such-package"]}, "packages are not installed: no-such-package. Run the notebook's first"),
    ],
)
def test_incomplete_bundle_is_refused(tmp_path, changes, message):
    write_bundle(tmp_path, **changes)
    with refused(message):
        open_bundle(tmp_path, MANIFEST)


def test_folder_without_manifest_is_refused(tmp_path):
    with refused(f"no {MANIFEST}. Attach the data set that was uploaded with the notebook"):
        open_bundle(tmp_path, MANIFEST)
