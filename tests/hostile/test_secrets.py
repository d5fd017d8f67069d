"""Secrets stay where they are: passwords of .netrc, the Kaggle token, folders and user names of this machine."""

import getpass
import hashlib
import json
import socket
from pathlib import Path

import pytest

from medfold.commands.download import download
from medfold.commands.predict import predict
from medfold.commands.report import report
from medfold.commands.submit import submit
from medfold.competition.competition import Competition
from medfold.competition.overrides import parse_overrides
from medfold.competition.recipe_files import load_recipe
from medfold.kaggle import Competitions, KaggleSession
from medfold.notebooks.training_bundle import write_training_bundle
from medfold.runs.run_json import read_run_json
from medfold.system import json_files
from medfold.training import TrainingRequest
from medfold.training.run_start import begin_run
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused
from tests.support.kaggle_server import TOKEN, HostedCompetition, status
from tests.support.loopback_server import LoopbackServer
from tests.support.small_project import SMALL, TINY_RECIPE, add_competition
from tests.support.weights_files import keras_weights


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    """A .netrc in the home folder, with passwords for this machine and for any other host."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / ".netrc").write_text("machine 127.0.0.1 login a password secret\ndefault login b password secret\n")
    (home / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture
def servers():
    """Two servers, on two ports."""
    with LoopbackServer(b"id,target\n") as first, LoopbackServer(b"id,target\n") as second:
        yield first, second


@pytest.fixture
def download_from(project_folder, netrc):
    """Downloads the one file of a competition from an address, as a competition.yaml of others may name it."""

    def run(address):
        source = {"kind": "url", "url": address, "file": "train.csv", "md5": hashlib.md5(b"id,target\n").hexdigest()}
        lines = SMALL.splitlines()
        lines[1] = f"source: {json.dumps(source)}"
        add_competition(project_folder, "foreign", "\n".join(lines), TINY_RECIPE)
        with refused("."):  # the downloaded table does not fit
            download(Competition.open("foreign"))

    return run


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("target", [None, "127.0.0.1", "localhost"])
def test_download_sends_no_password_of_netrc(download_from, servers, host, target):
    first, second = servers
    if target:
        first.redirects["/a"] = second.address("/b", target)
    download_from(first.address("/a", host))
    asked = first.requests + second.requests
    assert len(asked) == (2 if target else 1)
    assert [headers.get("Authorization") for _, headers, _ in asked] == [None] * len(asked)


@pytest.mark.parametrize("method", ["IntrospectToken", "GetCompetition", "ListSubmissions"])
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_token_does_not_follow_a_redirect_to_another_host(kaggle, method, code):
    kaggle.competitions["histology"] = HostedCompetition()
    kaggle.fault(method, status(code, Location="http://elsewhere.test/"))

    def ask():
        competitions = Competitions(KaggleSession.connect())
        competitions.info("histology")
        competitions.submissions("histology")

    with refused(r"Kaggle cannot be reached: redirected to another host \(elsewhere\.test\)"):
        ask()
    assert kaggle.log[-1][0] == method


WEIGHTS_SETTINGS = [
    "backbone.weights={path}",
    "backbone.weights='{path}'",
    'backbone.weights="{path}"',
    '{{"backbone": {{"weights": "{path}"}}}}',
    "training.epochs=1 backbone.weights={path} tta=false",
]


@pytest.fixture
def weights(tmp_path):
    """A weights file in a folder that names a user."""
    return keras_weights(tmp_path / "home" / "alice" / "net.weights.h5")


@pytest.fixture
def started(folded, weights):
    """Starts a run with a weights file, and returns its request and its paths."""

    def start(settings):
        overrides = parse_overrides(f"{settings.format(path=weights)}")
        overrides["backbone"]["name"] = "MobileNetV2"
        request = TrainingRequest("baseline", overrides)
        recipe = load_recipe(folded.paths, "baseline", overrides)
        return request, recipe, begin_run(folded, request, recipe)[0]

    return start


@pytest.mark.parametrize("settings", WEIGHTS_SETTINGS)
def test_run_json_names_weights_without_their_folder(started, folded, settings):
    request, recipe, run_paths = started(settings)
    text = run_paths.metadata.read_text()
    assert "alice" not in text
    metadata = json.loads(text)
    assert metadata["recipe"]["backbone"]["weights"] == "net.weights.h5"
    assert f"RUN={request.run_name}" in metadata["command"]
    begin_run(folded, request, recipe)  # the same run again


def test_bundle_of_a_training_names_weights_without_their_folder(started, folded, weights, tmp_path, monkeypatch):
    monkeypatch.setattr("medfold.notebooks.wheels.build_wheel", lambda out: (out / "medfold.whl").write_bytes(b"wheel"))
    recipe_file = folded.paths.folder / "mine.yaml"
    recipe_file.write_text(f"extends: baseline\nbackbone: {{name: MobileNetV2, weights: {weights}}}\n")
    request = TrainingRequest("mine", folds=[0], run="mine")
    recipe = load_recipe(folded.paths, "mine", {})
    write_training_bundle(folded.paths, folded.facts, recipe, request, (), tmp_path / "job")
    assert "alice" not in (tmp_path / "job" / "job.json").read_text()
    assert (tmp_path / "job" / "net.weights.h5").read_bytes() == weights.read_bytes()


def test_run_json_of_an_earlier_version_is_read_without_folders(started, weights):
    _, _, run_paths = started(WEIGHTS_SETTINGS[0])
    metadata = json.loads(run_paths.metadata.read_text())
    del metadata["checksum"]
    metadata["recipe"]["backbone"]["weights"] = str(weights)
    metadata["command"] = f"make train COMPETITION=small RECIPE=baseline SEEDS=0 SET=backbone.weights={weights}"
    json_files.write(metadata, run_paths.metadata, sealed=True)
    read = read_run_json(run_paths)
    assert "alice" not in json.dumps(read)
    assert read["command"].endswith(f"SET=backbone.weights=net.weights.h5 RUN={run_paths.name}")


@pytest.fixture
def written(folded, tmp_path, monkeypatch):
    """The files that reports, submissions and ensembles write in a project in the home folder of alice."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    finished_run(folded, "one", 1.0)
    finished_run(folded, "two", 0.8)
    submit(folded, run_names=["one", "two"], method="mean")
    report(folded, ["one"])
    report(folded, ["one", "two"])
    root = folded.project_paths.root
    return [path for name in ("runs", "submissions", "folds") for path in (root / name).rglob("*") if path.is_file()]


def test_no_file_to_share_names_a_folder_of_this_machine_or_its_user(written, folded, tmp_path):
    secrets = {str(tmp_path), str(folded.project_paths.root), str(Path.home()), TOKEN}
    secrets |= {name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 4}  # shorter: parts of words
    assert len(written) > 15
    for path in written:
        content = path.read_bytes()
        assert [secret for secret in secrets if secret.encode() in content] == [], path


@pytest.mark.slow
def test_predictions_of_images_in_the_home_folder_name_no_folder_above_them(trained, tmp_path, monkeypatch):
    home = tmp_path / "home" / "alice"
    images = home / "scans"
    images.parent.mkdir(parents=True)
    (trained.paths.raw / "test").rename(images)
    monkeypatch.setenv("HOME", str(home))
    predictions = predict(trained, images, ["baseline"])
    assert predictions.file.name == "scans.csv"
    assert "alice" not in predictions.file.read_text()
