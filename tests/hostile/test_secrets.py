"""Secrets stay where they are: passwords of .netrc, the Kaggle token, folders and user names of this machine."""

import getpass
import hashlib
import json
import re
import socket
from pathlib import Path

import pandas as pd
import pytest

from medfold.commands.download import download
from medfold.commands.predict import predict
from medfold.commands.report import report
from medfold.commands.submit import submit
from medfold.competition import Competition, load_recipe, parse_overrides
from medfold.kaggle import KaggleCompetitions, KaggleSession
from medfold.notebooks.training_bundle import write_training_bundle
from medfold.runs import read_run_json
from medfold.system import json_files
from medfold.training import TrainingRequest, begin_run
from tests.support.dicom_files import dataset, save, smooth
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
        with refused("train.csv"):  # the downloaded table does not fit
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
        competitions = KaggleCompetitions(KaggleSession.connect())
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
    request = TrainingRequest("mine", fold_numbers=[0], given_name="mine")
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
    assert "alice" not in read.model_dump_json()
    assert read.command.endswith(f"SET=backbone.weights=net.weights.h5 RUN={run_paths.name}")


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


@pytest.mark.slow
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


ADDRESSES = {  # of the source, and of the redirect
    "no redirect": ("127.0.0.1", None),
    "another name of the host": ("localhost", None),
    "another port": ("127.0.0.1", "{second}"),
    "another host": ("127.0.0.1", "{other_host}"),
    "a file": ("127.0.0.1", "file://{outside}/diary.txt"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("host", "redirect"), ADDRESSES.values(), ids=ADDRESSES)
def test_make_download_sends_no_password_and_reads_no_file(victim, servers, host, redirect):
    first, second = servers
    targets = {"second": second.address("/b"), "other_host": second.address("/b", "localhost")}
    if redirect:
        first.redirects["/a"] = redirect.format(**targets, outside=victim.outside)
    source = {"kind": "url", "url": first.address("/a", host), "file": "train.csv", "md5": "0" * 32}
    victim.change_facts("{kind: own}", json.dumps(source))
    victim.environment = {"no_proxy": "127.0.0.1,localhost"}
    line = victim.refuse("download")
    assert "md5 of the download differs" in line or "train.csv failed" in line
    asked = first.requests + second.requests
    assert asked
    assert [headers.get("Authorization") for _, headers, _ in asked] == [None] * len(asked)


HOLDOUT = "group: patient\n  holdout: 0.25"
PATIENTS = {  # competition.yaml that holds the patient: parts and their replacements
    "column": {},
    "pattern": {"group: patient": "group_pattern: '(i[0-9])'"},
    "PatientID": {"group: patient": "group: PatientID\n  holdout: 0.25"},
    "PatientName": {"group: patient": "group: PatientName\n  holdout: 0.25"},
    "holdout": {"group: patient": HOLDOUT},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PATIENTS)
def test_make_folds_writes_patients_into_files_of_the_owner_only(victim, kind):
    for old, new in PATIENTS[kind].items():
        victim.change_facts(old, new)
    if kind not in ("column", "pattern"):
        victim.change_facts(', test: "test/{id}.png"', "")
        victim.change_facts("submission: {sample: sample_submission.csv}\n", "")
    if kind.startswith("Patient"):
        victim.change_facts("train/{id}.png", "train/{id}.dcm")
        victim.change_facts("symmetry: none", f"symmetry: none, dicom_headers: [{kind}]")
        for number, path in enumerate(sorted((victim.given / "train").iterdir())):
            save(path.with_suffix(".dcm"), dataset(smooth((20, 18), 8, seed=number), **{kind: f"p{number // 2}"}))
            path.unlink()
    for target, words in (("download", [f"FROM={victim.given}"]), ("folds", [])):
        assert victim.make(target, *words).code == 0
    private = [path for path in (victim.clone / "data" / "clinic").rglob("*.csv") if path.stat().st_mode & 0o077 == 0]
    assert "groups.csv" in {path.name for path in private}
    patients = {f"p{number}" for number in range(8)} if kind != "pattern" else {"i0", "i1"}
    for path in (victim.clone / "data" / "clinic").glob("*.csv"):
        if path not in private:
            cells = set(pd.read_csv(path, dtype=str).to_numpy().ravel())
            assert not patients & cells, path
    assert not patients & set(pd.read_csv(victim.clone / "folds" / "clinic.csv", dtype=str).to_numpy().ravel())


@pytest.mark.slow
@pytest.mark.parametrize("keyword", ["PatientID", "PatientName", "PatientBirthDate", "StudyDate", "InstitutionName"])
def test_header_that_identifies_a_person_is_no_column(victim, keyword):
    secret = "19700203" if keyword.endswith("Date") else "Doe-4711"
    for path in sorted((victim.given / "train").iterdir()):
        save(path.with_suffix(".dcm"), dataset(smooth((20, 18), 8, seed=len(path.name)), **{keyword: secret}))
        path.unlink()
    victim.change_facts('"train/{id}.png", test: "test/{id}.png"', '"train/{id}.dcm"')
    victim.change_facts("submission: {sample: sample_submission.csv}\n", "")
    victim.change_facts("symmetry: none", f"symmetry: none, dicom_headers: [{keyword}]")
    victim.change_facts("group: patient", f"group: patient\n  keep_columns: [{keyword}]")
    victim.make("download", f"FROM={victim.given}")
    ended = victim.make("folds")
    assert ended.code in (0, 2)
    assert secret not in ended.said + ended.errors
    written = victim.files_of("data/clinic", "folds", "submissions", "runs")
    assert [name for name, content in written.items() if "/raw/" not in name and secret.encode() in content] == []


def remove_weights(victim):
    """They fit no net, and a report without them has no heat maps."""
    for fold in (victim.clone / "runs" / "clinic" / "baseline").glob("fold*"):
        (fold / "net.weights.h5").unlink()
        marker = json.loads((fold / "done.json").read_text())
        del marker["net.weights.h5"]
        (fold / "done.json").write_text(json.dumps(marker))


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["report", "submit DRY_RUN=1 FORCE=1", "notebook", "ensemble RUNS=baseline", "recheck"]
)
def test_make_writes_no_folder_of_this_machine_and_no_user(trained_victim, words):
    victim = trained_victim
    target, *variables = words.split()
    if target == "report":
        remove_weights(victim)
    assert victim.make(target, *variables).code == 0
    secrets = {str(victim.clone.parent), str(Path.home()) if len(str(Path.home())) > 5 else str(victim.home)}
    secrets |= {name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 4}  # shorter: parts of words
    written = victim.files_of("runs", "submissions", "folds")
    assert len(written) > 10
    for name, content in written.items():
        assert [secret for secret in secrets if secret.encode() in content] == [], name


TEXTS = [
    "<script>document.title='pwned'</script>",
    '"><meta http-equiv="Content-Security-Policy" content="default-src *">',
    "'><img src=http://127.0.0.1:9/x onerror=alert(1)>",
    "</title><base href='http://127.0.0.1:9/'>",
    "{{ 7*7 }}{% include '/etc/passwd' %}",
]


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
def test_report_of_hostile_texts_keeps_its_policy(trained_victim, text):
    victim = trained_victim
    remove_weights(victim)
    victim.change_facts("title: Clinic", f"title: {json.dumps(text)}\nlicence: {json.dumps(text)}")
    assert victim.make("report").code == 0
    page = (victim.clone / "runs" / "clinic" / "baseline" / "report.html").read_text()
    assert page.count("<meta http-equiv=") == 1
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', page)[1]
    sources = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert sources["default-src"] == "'none'"
    assert sources["img-src"] == "data:"
    assert sources["script-src"].startswith("'sha256-")
    assert "http" not in policy
    assert not re.search("<base|<img src=http|<script>document|49</", page)
