"""The bundle of a training on Kaggle: what is packed, and the results that come back."""

from dataclasses import replace

import pandas as pd
import pytest

from medfold.competition import Competition, Recipe
from medfold.notebooks import TrainingBundle, training_bundle
from medfold.notebooks.bundle import complete_bundle
from medfold.notebooks.training_bundle import unpack_results
from medfold.paths import ProjectPaths
from medfold.runs import is_fold_trained
from medfold.system import json_files
from medfold.training import TrainingRequest
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused
from tests.support.kaggle_server import KEY, TOKEN
from tests.support.weights_files import checkpoint, keras_weights

REQUEST = TrainingRequest("baseline", {}, 0, "baseline", [0, 1], 1, 3)
MARK = "0123456789ab"


def test_bundle_unpacks_into_a_project(folded, no_wheel_build, tmp_path):
    state = checkpoint(folded.paths.run("baseline").fold(1).checkpoint)
    sizes = training_bundle.write_training_bundle(folded.paths, folded.facts, Recipe(), REQUEST, (), tmp_path / "job")
    assert set(sizes) == {"fold1-state.npz", "job.json", "medfold.whl"}
    opened = TrainingBundle.open(tmp_path / "job")
    paths = opened.write_competition(tmp_path / "there")
    for path in (folded.paths.facts_file, folded.paths.folds_table, folded.paths.folds_metadata):
        unpacked = tmp_path / "there" / path.relative_to(folded.project_paths.root)
        assert unpacked.read_bytes() == path.read_bytes()
    assert paths.run("baseline").fold(1).checkpoint.read_bytes() == state.read_bytes()
    assert not paths.data.exists()
    assert (opened.request.fold_numbers, "fold1-state.npz" in str(opened)) == ([0, 1], True)
    Competition.open("small", ProjectPaths(tmp_path / "there"))


def test_content_id_changes_only_with_its_inputs(folded, no_wheel_build, tmp_path):
    marks = set()
    for _ in range(2):
        training_bundle.write_training_bundle(folded.paths, folded.facts, Recipe(), REQUEST, (), tmp_path / "job")
        marks.add(json_files.read(tmp_path / "job" / training_bundle.MANIFEST)["content_id"])
    assert len(marks) == 1
    checkpoint(folded.paths.run("baseline").fold(0).checkpoint)
    training_bundle.write_training_bundle(folded.paths, folded.facts, Recipe(), REQUEST, (), tmp_path / "job")
    assert json_files.read(tmp_path / "job" / training_bundle.MANIFEST)["content_id"] not in marks


def test_request_of_a_bundle_of_an_earlier_version_is_read(tmp_path):
    manifest = {
        "medfold": "0.1",
        "competition": "small",
        "request": {"recipe": "baseline", "run": "baseline", "folds": [0, 1], "sharers": 3},
        "weights": None,
        "checkpoints": {},
        "packages": [],
        "project_files": {},
    }
    complete_bundle(tmp_path, manifest, training_bundle.MANIFEST, ["identity"])
    request = TrainingBundle.open(tmp_path).request
    assert (request.thread_shares, request.jobs, request.fold_numbers) == (3, 1, [0, 1])


@pytest.mark.parametrize(("jobs", "text"), [(None, "auto"), (2, "2")])
def test_jobs_of_a_bundle_are_text_as_in_earlier_versions(folded, no_wheel_build, tmp_path, jobs, text):
    request = replace(REQUEST, jobs=jobs)
    training_bundle.write_training_bundle(folded.paths, folded.facts, Recipe(), request, (), tmp_path / "job")
    opened = TrainingBundle.open(tmp_path / "job")
    assert opened.manifest.request.jobs == text
    assert opened.request.jobs == jobs


def test_bundle_contains_no_secrets(folded, prebuilt_wheel, tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    training_bundle.write_training_bundle(folded.paths, folded.facts, Recipe(), REQUEST, (), tmp_path / "job")
    patients = pd.read_csv(folded.paths.raw / "train.csv", dtype=str)["patient_id"]
    secrets = [TOKEN, KEY, str(tmp_path), str(folded.project_paths.root), *patients]
    for path in (tmp_path / "job").iterdir():
        data = path.read_bytes()
        assert [secret for secret in secrets if secret.encode() in data] == [], path.name


def test_bundle_contains_weights_file(folded, no_wheel_build, tmp_path):
    keras_weights(tmp_path / "mine" / "net.h5")
    recipe = Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": str(tmp_path / "mine" / "net.h5")}})
    training_bundle.write_training_bundle(folded.paths, folded.facts, recipe, REQUEST, (), tmp_path / "job")
    opened = TrainingBundle.open(tmp_path / "job")
    assert opened.request.overrides["backbone"]["weights"] == str(tmp_path / "job" / "net.h5")
    assert opened.manifest.request.overrides == {}
    missing = Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": str(tmp_path / "no.h5")}})
    with refused("no.h5: no such weights file"):
        training_bundle.write_training_bundle(folded.paths, folded.facts, missing, REQUEST, (), tmp_path / "job")


def test_results_are_unpacked_into_the_run(folded, tmp_path):
    finished_run(folded, "there", folds=[0])
    job, local_run = folded.paths.run("there"), folded.paths.run("home")
    job.fold(1).folder.mkdir()
    job.fold(1).checkpoint.write_bytes(b"half")
    training_bundle.pack_results(job, [0, 1, 2], MARK, tmp_path / "trained.zip")
    assert unpack_results(tmp_path / "trained.zip", local_run, [0, 1, 2], MARK) == ([0], [1])
    assert is_fold_trained(local_run.fold(0))
    assert local_run.fold(1).checkpoint.read_bytes() == b"half"
    assert sorted(path.name for path in local_run.folder.iterdir() if not path.name.startswith(".")) == [
        "fold0",
        "fold1",
    ]
    assert not (tmp_path / "trained.zip").exists()


def test_damaged_results_are_not_unpacked(folded, tmp_path):
    finished_run(folded, "there", folds=[0])
    job, local_run = folded.paths.run("there"), folded.paths.run("home")
    training_bundle.pack_results(job, [0], MARK, tmp_path / "trained.zip")
    content = (tmp_path / "trained.zip").read_bytes()
    oof = job.fold(0).oof.read_bytes()
    assert oof in content
    (tmp_path / "trained.zip").write_bytes(content.replace(oof[-20:], b"0" * 20))
    with refused(r"trained\.zip: damaged archive \(Bad CRC-32 for file 'fold0/oof\.csv'\)"):
        unpack_results(tmp_path / "trained.zip", local_run, [0], MARK)
    assert not local_run.fold(0).folder.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("files", ["a"]),
        ("packages", "numpy"),
        ("competition", "../other"),
        ("competition", None),
        ("weights", "../../net.h5"),
        ("checkpoints", {"fold1-state.npz": "1"}),
        ("checkpoints", {"fold1-state.npz": -1}),
        ("project_files", {"a": 1}),
        ("content_id", 5),
        ("request", None),
        ("request.folds", ["0"]),
        ("request.folds", [-1]),
        ("request.folds", 0),
        ("request.run", "../run"),
        ("request.run", None),
        ("request.seed", "0"),
        ("request.jobs", "many"),
        ("request.jobs", "99999999999"),
        ("request.overrides", []),
        ("request.thread_shares", 0),
        ("request.unknown", 1),
    ],
)
def test_job_with_values_of_other_types_is_refused(folded, no_wheel_build, tmp_path, key, value):
    training_bundle.write_training_bundle(folded.paths, folded.facts, Recipe(), REQUEST, (), tmp_path / "job")
    manifest = json_files.read(tmp_path / "job" / training_bundle.MANIFEST)
    parent, _, name = key.rpartition(".")
    (manifest[parent] if parent else manifest)[name] = value
    json_files.write(manifest, tmp_path / "job" / training_bundle.MANIFEST)
    with refused(f"job.json: the value of '{key}.*' is missing or is not what medfold writes. Pack the bundle again"):
        TrainingBundle.open(tmp_path / "job")
