"""Training on Kaggle (`make train ON=kaggle`): the bundle, what is refused, and notebooks that are executed."""

import re

import numpy as np
import pytest

from medfold.commands.download import download
from medfold.commands.train import train
from medfold.competition import Competition, parse_overrides
from medfold.notebooks import training_bundle
from medfold.system import json_files
from tests.support import kaggle_image
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused, replaced, zipped
from tests.support.kaggle_machines import Ended
from tests.support.kaggle_server import HostedCompetition, HostedDataset
from tests.support.small_project import SMALL, add_competition

REF = "alice/medfold-train-small-baseline-fold0"
DATASET = f"{REF}-job"


def test_source_outside_kaggle_raises_before_upload(folded, kaggle):
    source = {"kind": "url", "url": "https://zenodo.org/x.npz", "file": "x.npz", "md5": "0" * 32}
    competition = Competition(folded.project_paths, folded.paths, folded.facts.model_copy(update={"source": source}))
    with refused("source url is not on Kaggle.*Upload it"):
        train(competition, on="kaggle")
    assert kaggle.log == []


def test_finished_folds_are_not_uploaded(folded, kaggle):
    finished_run(folded)
    train(folded, on="kaggle", folds=[0])
    assert kaggle.asked("SaveKernel") == kaggle.asked("StartBlobUpload") == 0


def test_notebook_without_valid_results_is_refused(folded, kaggle, no_wheel_build, tmp_path):
    def finish_without_fold(pushed):
        training_bundle.pack_results(
            folded.paths.run("none"), [0], re.search(r"\| bundle \| (\w+) \|", pushed["text"])[1], tmp_path / "x.zip"
        )
        return Ended({"trained.zip": (tmp_path / "x.zip").read_bytes()}, "log\n")

    kaggle.runner = finish_without_fold
    with refused("the notebook trained no fold"):
        train(folded, on="kaggle", folds=[0])
    kaggle.runner = lambda pushed: Ended({"trained.zip": zipped({})}, "log\n")
    with refused("the results are of another training"):
        train(folded, on="kaggle", folds=[0], run="third")
    kaggle.runner = lambda pushed: Ended(state="ERROR", message="Out of memory")
    with refused("the notebook failed: Out of memory"):
        train(folded, on="kaggle", folds=[0], run="other")


@pytest.fixture
def hosted(kaggle, tmp_path, monkeypatch):
    """A Kaggle server with the data of the small phantom."""
    add_competition(tmp_path / "drawn", "small", SMALL)
    monkeypatch.chdir(tmp_path / "drawn")
    drawn = Competition.open("small")
    download(drawn)
    kaggle.competitions["small"] = HostedCompetition()
    kaggle.data = drawn.paths.raw
    kaggle.python = kaggle_image.make(tmp_path / "venv")
    return kaggle


def project_of_source(source: str, hosted, tmp_path, monkeypatch) -> Competition:
    """Makes a project whose facts have this source, and downloads its data."""
    lines = [line for line in SMALL.splitlines() if not line.startswith(("source:", "upload:"))]
    where = [line for line in SMALL.splitlines() if line.startswith("source:")] if source == "phantom" else []
    named = {"kaggle": ["source: {kind: kaggle, slug: small}"]}
    named["kaggle_dataset"] = ["source: {kind: kaggle_dataset, slug: carol/nodules}"]
    named["kaggle_dataset"] += ["url: https://www.kaggle.com/competitions/small"]
    facts = [*lines, *(where or named[source]), "upload: none" if source == "phantom" else "upload: notebook"]
    add_competition(tmp_path / "my project", "small", "\n".join(facts))
    monkeypatch.chdir(tmp_path / "my project")
    competition = Competition.open("small")
    download(competition, path=None if source == "phantom" else hosted.data)
    hosted.datasets["carol/nodules"] = HostedDataset()
    return competition


def connect_machines(hosted, tmp_path, hours=None):
    data = dict.fromkeys(("small", "carol/nodules"), hosted.data)
    hosted.runner = kaggle_image.machine(hosted, tmp_path, hosted.python, data, training_bundle.RESULTS_ARCHIVE, hours)


def fold_hashes(competition, run):
    return json_files.read(competition.paths.run(run).fold(0).trained_marker)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["kaggle", "kaggle_dataset", "phantom"])
def test_remote_fold_equals_local_fold(hosted, tmp_path, monkeypatch, source):
    competition = project_of_source(source, hosted, tmp_path, monkeypatch)
    train(competition, folds=[0], run="home")
    connect_machines(hosted, tmp_path)
    train(competition, on="kaggle", folds=[0])
    assert fold_hashes(competition, "baseline") == fold_hashes(competition, "home")
    pushed = hosted.notebooks[REF].pushed
    assert pushed["competitionDataSources"] == (["small"] if source == "kaggle" else [])
    assert pushed["datasetDataSources"] == [DATASET, *(["carol/nodules"] if source == "kaggle_dataset" else [])]
    assert not pushed["enableInternet"]
    output = hosted.said()
    assert "fetched fold 0" in output
    assert re.search(r"OOF score  AUC 0\.\d+ .* 1 of 3 folds", output)
    log = (competition.paths.run("baseline").notebook / "training-fold0" / "log.txt").read_text()
    assert ("linked, not copied" in log) == (source != "phantom")


@pytest.mark.slow
def test_parallel_remote_folds_equal_local_folds(hosted, tmp_path, monkeypatch):
    competition = project_of_source("phantom", hosted, tmp_path, monkeypatch)
    train(competition, run="home", jobs=2)
    train(competition, folds=[1], run="baseline", jobs=2)
    connect_machines(hosted, tmp_path)
    train(competition, on="kaggle", jobs=2, run="baseline")
    assert "fetched folds 0, 2" in hosted.said()
    local_run, job = (competition.paths.run(name) for name in ("home", "baseline"))
    for fold in (0, 2):
        assert json_files.read(job.fold(fold).trained_marker) == json_files.read(local_run.fold(fold).trained_marker)


PLUGINS = """
from keras import layers
from medfold.plugins import backbone, metric, preparation_step, to_classes


@metric("Hits", tasks=("binary",), response_method="predict")
def hits(targets, predictions):
    return float((to_classes(predictions) == targets).mean())


@backbone("unit")
def one_convolution(images, backbone_settings):
    return layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(images))


@preparation_step
def negative(pixels):
    return 255 - pixels
"""


@pytest.mark.slow
def test_remote_fold_with_plugins_equals_local_fold(hosted, tmp_path, monkeypatch):
    competition = project_of_source("phantom", hosted, tmp_path, monkeypatch)
    competition.paths.plugins.write_text(PLUGINS)
    facts = competition.paths.facts_file.read_text()
    assert "metric: auc" in facts
    competition.paths.facts_file.write_text(replaced(facts, ("metric: auc", "metric: hits")))
    competition = Competition.open("small")
    own = parse_overrides("backbone.name=one_convolution preparation.steps=[negative]")
    train(competition, folds=[0], overrides=own, run="home")
    connect_machines(hosted, tmp_path)
    train(competition, on="kaggle", folds=[0], overrides=own, run="baseline")
    assert fold_hashes(competition, "baseline") == fold_hashes(competition, "home")
    run = competition.paths.run("baseline")
    assert "plugins_hash" in json_files.read(run.metadata)
    assert json_files.read(run.score)["metric"] == "hits"


@pytest.mark.slow
def test_training_resumes_in_the_next_session(hosted, tmp_path, monkeypatch):
    competition = project_of_source("kaggle", hosted, tmp_path, monkeypatch)
    longer = parse_overrides("training.epochs=4")
    train(competition, folds=[0], overrides=longer, run="home")
    connect_machines(hosted, tmp_path, hours=0)
    train(competition, on="kaggle", folds=[0], overrides=longer, run="baseline")
    output, fold = hosted.said(), competition.paths.run("baseline").fold(0)
    assert "stopped before the session's end: fold 0; run the same command to resume" in output
    assert fold.checkpoint.is_file()
    assert not fold.trained_marker.exists()
    with np.load(fold.checkpoint) as state:
        assert len(state.files) > 5
    connect_machines(hosted, tmp_path)
    train(competition, on="kaggle", folds=[0], overrides=longer, run="baseline")
    assert fold_hashes(competition, "baseline") == fold_hashes(competition, "home")
    assert hosted.notebooks[REF].version == hosted.datasets[DATASET].version == 2
    log = (competition.paths.run("baseline").notebook / "training-fold0" / "log.txt").read_text()
    assert "resuming at epoch 1 of 4, step 1" in log


@pytest.mark.slow
def test_failed_remote_training_raises_and_prints_log(hosted, tmp_path, monkeypatch):
    competition = project_of_source("kaggle", hosted, tmp_path, monkeypatch)
    connect_machines(hosted, tmp_path)
    (hosted.data / "train.csv").unlink()
    with refused("the notebook failed: Your notebook failed"):
        train(competition, on="kaggle", folds=[0])
    assert "train.csv" in hosted.said()
