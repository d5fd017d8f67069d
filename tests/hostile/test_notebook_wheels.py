"""The notebook installs only wheels that were packed, and job.json and kit.json lay or read no file outside."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medfold.notebooks import TrainingBundle, notebook_file
from medfold.notebooks.bundle import BundleManifest, complete_bundle, open_bundle
from medfold.system import json_files
from tests.support.helpers import competition_facts, refused
from tests.support.kaggle_server import HostedCompetition, KaggleServer, status
from tests.support.victim import Victim

WHEELS = {"medfold-1.0-py3-none-any.whl": b"medfold", "pydicom-3.0-py3-none-any.whl": b"pydicom"}


@pytest.fixture
def bundle(tmp_path):
    """The folder of a bundle with two wheels, mounted as Kaggle does."""
    folder = tmp_path / "kaggle" / "input" / "datasets" / "alice" / "kit"
    folder.mkdir(parents=True)
    for name, content in WHEELS.items():
        (folder / name).write_bytes(content)
    complete_bundle(folder, {"packages": []}, "kit.json", ["identity"])
    return folder


@pytest.fixture
def install(bundle, tmp_path, monkeypatch):
    """Runs the first cell of a notebook for the bundle as it was packed; returns the commands that it starts."""
    text = notebook_file.submission_notebook(
        competition_facts(), ["baseline"], "AUC 0.9", bundle / "kit.json", {"pydicom": "3.0"}
    )
    code = next(cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")["source"]
    source = "".join(code).replace('"/kaggle/', f'"{tmp_path}/kaggle/')
    started = []
    monkeypatch.setattr(subprocess, "run", lambda command, **options: started.append(command))

    def run():
        exec(compile(source, "cell", "exec"), {})
        return started

    yield run
    assert len(started) <= 1


def test_packed_wheels_are_installed_from_the_bundle(install, bundle):
    (command,) = install()
    assert command[1:5] == ["-m", "pip", "install", "--quiet"]
    assert command[-1] == bundle


def change_a_byte(folder):
    (folder / "pydicom-3.0-py3-none-any.whl").write_bytes(b"pydicoM")


def swap_contents(folder):
    for name, content in zip(WHEELS, reversed(WHEELS.values()), strict=True):
        (folder / name).write_bytes(content)


def cut_off(folder):
    (folder / "medfold-1.0-py3-none-any.whl").write_bytes(b"")


def add_a_build(folder):
    (folder / "medfold-1.0-2-py3-none-any.whl").write_bytes(b"another build of the same version")


def add_a_link(folder):
    (folder / "medfold-1.0-3-py3-none-any.whl").symlink_to(folder / "kit.json")


def rename(folder):
    (folder / "medfold-1.0-py3-none-any.whl").rename(folder / "medfold-1.0-1-py3-none-any.whl")


@pytest.mark.parametrize("tamper", [change_a_byte, swap_contents, cut_off, add_a_build, add_a_link, rename])
def test_tampered_wheels_are_not_installed(install, bundle, monkeypatch, tamper):
    tamper(bundle)
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: pytest.fail("something was started"))
    with pytest.raises(AssertionError, match=r"not the wheels that were packed: \['.*whl'"):
        install()


def test_manifest_changed_with_the_wheels_is_not_accepted(install, bundle, monkeypatch):
    change_a_byte(bundle)
    (bundle / "kit.json").unlink()
    complete_bundle(bundle, {"packages": []}, "kit.json", ["identity"])
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: pytest.fail("something was started"))
    with pytest.raises(AssertionError, match=r"attach the version of the data set whose kit\.json has the SHA-256"):
        install()


OUTSIDE = ["../outside", "/tmp/outside", "a/../../outside", "..", ".", "link/outside", "a\0b"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_manifest_that_names_a_file_outside_is_refused(tmp_path, name):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    json_files.write({"files": {name: "0" * 64}, "packages": []}, folder / "job.json")
    with refused(r"job\.json: names a file outside its folder: "):
        open_bundle(folder, "job.json", BundleManifest)


REQUEST = {"recipe": "baseline", "run": "baseline", "folds": [0]}


def job(tmp_path, **changes) -> Path:
    """The folder of a complete bundle whose job.json has these changes."""
    manifest = {
        "medfold": "1.0",
        "competition": "small",
        "request": REQUEST,
        "weights": None,
        "checkpoints": {},
        "packages": [],
        "project_files": {"competition/small/competition.yaml": "title: x\n"},
    }
    (tmp_path / "bundle").mkdir(parents=True)
    (tmp_path / "bundle" / "state.npz").write_bytes(b"state")
    complete_bundle(tmp_path / "bundle", {**manifest, **changes}, "job.json", ["identity"])
    return tmp_path / "bundle"


@pytest.mark.parametrize("name", OUTSIDE)
def test_project_file_outside_is_not_written(tmp_path, name):
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    before = set(tmp_path.rglob("*")) | set(Path("/tmp").glob("outside"))
    bundle = TrainingBundle.open(job(tmp_path, project_files={name: "text"}))
    with refused(r"job\.json: names a file outside its folder: "):
        bundle.write_competition(root)
    assert set(tmp_path.rglob("*")) - before == {bundle.folder, *bundle.folder.iterdir()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"request": {**REQUEST, "run": "../../../outside"}, "checkpoints": {"state.npz": 0}},
            "value of 'request.run'",
        ),
        ({"request": {**REQUEST, "run": "/tmp/outside"}, "checkpoints": {"state.npz": 0}}, "value of 'request.run'"),
        ({"checkpoints": {"state.npz": "/../../../../../outside"}}, r"value of 'checkpoints\.state\.npz'"),
        ({"checkpoints": {"../state.npz": 0}}, r"'\.\./state\.npz' is not among the files that were packed"),
        ({"checkpoints": {"/etc/hostname": 0}}, "'/etc/hostname' is not among the files that were packed"),
        ({"competition": "../small", "checkpoints": {"state.npz": 0}}, "value of 'competition'"),
    ],
)
def test_checkpoint_is_neither_written_nor_read_outside(tmp_path, changes, message):
    (tmp_path / "state.npz").write_bytes(b"outside")
    with refused(message):
        TrainingBundle.open(job(tmp_path, **changes)).write_competition(tmp_path / "root")
    assert not list(tmp_path.rglob("checkpoint.npz"))


def test_weights_outside_the_bundle_are_not_used(tmp_path):
    with refused("value of 'weights' is missing or is not what medfold writes"):
        TrainingBundle.open(job(tmp_path, weights="../net.weights.h5"))
    with refused("'net.weights.h5' is not among the files that were packed"):
        _ = TrainingBundle.open(job(tmp_path / "packed", weights="net.weights.h5")).request


@pytest.fixture(scope="session")
def made_once(once, _trained_clinic_once, tmp_path_factory):
    """The notebook of `make notebook` with its bundle, and that of `make train ON=kaggle`, whose upload failed."""

    def make(folder: Path) -> None:
        victim = Victim(tmp_path_factory.mktemp("packing"), _trained_clinic_once)
        assert victim.make("notebook").code == 0
        with KaggleServer() as server:
            server.competitions["clinic"] = HostedCompetition()
            server.fault("upload", *[status(403)] * 20)
            victim.environment = server.environment(victim.home)
            assert victim.make("train", "ON=kaggle", "RUN=mine", "FOLD=0").code == 2
        for name, run in {"kit.json": "baseline", "job.json": "mine"}.items():
            shutil.copytree(victim.clone / "runs" / "clinic" / run / "notebook", folder / name)

    return once("notebooks that make wrote", make)


@pytest.fixture(params=["kit.json", "job.json"])
def made(made_once, tmp_path, request):
    """The bundle of one of the two, mounted as on Kaggle; and a function that runs the first cell of its notebook."""
    written = shutil.copytree(made_once / request.param, tmp_path / "written")
    bundle = tmp_path / "kaggle" / "input" / "datasets" / "alice" / "kit"
    (manifest,) = written.rglob(request.param)
    shutil.copytree(manifest.parent, bundle)
    (notebook,) = written.rglob("*.ipynb")
    code = next(cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code")["source"]
    source = "".join(code).replace('"/kaggle/', f'"{tmp_path}/kaggle/')

    def run() -> str:
        """Its output; pip is not started, whatever happens."""
        stub = "import sys; sys.executable = '/bin/echo'\n"
        command = [sys.executable, "-c", stub + source]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return ended.stdout + ended.stderr

    return bundle, bundle / request.param, run


def change_a_packed_byte(bundle, manifest):
    (wheel,) = bundle.glob("medfold-*.whl")
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")


def add_a_wheel(bundle, manifest):
    (bundle / "numpy-99.0-py3-none-any.whl").write_bytes(b"another package")


def lay_a_file_outside(bundle, manifest):
    content = json.loads(manifest.read_text())
    content["project_files"] = {"../../../outside/x": "text"}
    manifest.write_text(json.dumps(content))


def accept_another_wheel(bundle, manifest):
    (wheel,) = bundle.glob("medfold-*.whl")
    wheel.write_bytes(b"another")
    content = json.loads(manifest.read_text())
    content["files"][wheel.name] = hashlib.sha256(b"another").hexdigest()
    manifest.write_text(json.dumps(content))


def replace_the_manifest(bundle, manifest):
    manifest.write_text("{}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "tamper", [change_a_packed_byte, add_a_wheel, lay_a_file_outside, accept_another_wheel, replace_the_manifest]
)
def test_notebook_that_make_wrote_refuses_a_tampered_bundle(made, tamper, tmp_path):
    bundle, manifest, run = made
    assert "-m pip install --quiet --no-index" in run()
    tamper(bundle, manifest)
    before = sorted(tmp_path.rglob("*"))
    said = run()
    assert "not the wheels that were packed" in said or "attach the version of the data set" in said
    assert "pip install" not in said
    assert sorted(tmp_path.rglob("*")) == before
