"""What is packed for Kaggle is a list by kind: no other file, nothing behind a link, and no secret called weights."""

from zipfile import ZipFile

import h5py
import pytest

from medfold.competition.recipe import Recipe
from medfold.notebooks.training_bundle import write_training_bundle
from medfold.training.request import TrainingRequest
from tests.support.helpers import picture, refused
from tests.support.kaggle_server import TOKEN
from tests.support.weights_files import checkpoint, keras_weights

REQUEST = TrainingRequest("baseline", {}, 0, "baseline", [0], 1, 3)
STRAY_FILES = [
    "competition/small/notes.md",
    "competition/small/SECRETS.md",
    "competition/small/token.yaml",
    "competition/small/kaggle.json",
    "competition/small/.env",
    "competition/small/notes.txt",
    "competition/small/plugins_old.py",
    "competition/_base/access.yaml",
    "competition/access.yaml",
    "folds/access.csv",
    "runs/small/baseline/notes.md",
    "runs/small/baseline/fold0/access_token",
    "runs/small/baseline/notebook/training-all/job/notes.md",
]


@pytest.fixture
def pack(folded, tmp_path, monkeypatch):
    """Packs a training with the given weights file; returns the bytes of the bundle."""
    monkeypatch.setattr("medfold.notebooks.wheels.build_wheel", lambda out: (out / "medfold.whl").write_bytes(b"wheel"))

    def write(weights="none"):
        recipe = Recipe.model_validate({"backbone": {"name": "MobileNetV2", "weights": str(weights)}})
        out = folded.paths.run("baseline").notebook / "training-all" / "job"
        write_training_bundle(folded.paths, folded.facts, recipe, REQUEST, (), out)
        return b"".join(path.read_bytes() for path in out.iterdir())

    return write


@pytest.mark.parametrize("name", STRAY_FILES)
def test_token_in_another_file_is_not_packed(pack, folded, name):
    path = folded.project_paths.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"token: {TOKEN}\n")
    assert TOKEN.encode() not in pack()


@pytest.fixture
def planted(tmp_path):
    """A file outside the project that holds a token, as valid YAML."""
    path = tmp_path / "access_token"
    path.write_text(f"# {TOKEN}\ntitle: {TOKEN}\n")
    return path


@pytest.mark.parametrize(
    "name",
    [
        "competition/small/plugins.py",
        "competition/small/baseline.yaml",
        "competition/small/more.yaml",
        "competition/_base/debug.yaml",
        "folds/small.csv",
        "folds/small.json",
        "runs/small/baseline/fold0/checkpoint.npz",
    ],
)
def test_link_is_refused_by_name(pack, folded, planted, name):
    path = folded.project_paths.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(planted)
    with refused(f"{path.name}: a link, and files for Kaggle are not read through links. Put a copy") as caught:
        pack()
    assert TOKEN not in str(caught.value)


def test_link_as_weights_is_refused_even_if_it_leads_to_weights(pack, tmp_path):
    (tmp_path / "net.weights.h5").symlink_to(keras_weights(tmp_path / "real.weights.h5"))
    with refused(r"net\.weights\.h5: a link"):
        pack(tmp_path / "net.weights.h5")


def write_token(path):
    path.write_text(TOKEN)


def write_token_before_weights(path):
    """Writes HDF5 with a user block, in which any text can stand before the signature."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_group("layers")
    path.write_bytes(TOKEN.encode() + path.read_bytes()[len(TOKEN) :])


def write_images(path):
    with h5py.File(path, "w") as file:
        file["images"] = [1, 2, 3]


def write_only_the_signature(path):
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + TOKEN.encode())


def write_archive(path):
    with ZipFile(path, "w") as archive:
        archive.writestr("access_token", TOKEN)


def write_picture(path):
    path.with_suffix(".png").write_bytes(b"")
    picture(path.with_suffix(".png"))
    path.with_suffix(".png").replace(path)


@pytest.mark.parametrize(
    "write",
    [
        write_token,
        write_token_before_weights,
        write_images,
        write_only_the_signature,
        write_archive,
        write_picture,
        lambda path: path.write_bytes(b""),
    ],
)
def test_file_that_is_no_weights_is_not_packed(pack, tmp_path, write):
    path = tmp_path / "backbone.weights.h5"
    write(path)
    with refused(r"backbone\.weights\.h5: not a weights file of Keras, so it is not packed"):
        pack(path)


def test_weights_and_checkpoint_are_packed(pack, folded, tmp_path):
    weights = keras_weights(tmp_path / "backbone.weights.h5")
    state = checkpoint(folded.paths.run("baseline").fold(0).checkpoint, 7)
    packed = pack(weights)
    assert weights.read_bytes() in packed
    assert state.read_bytes() in packed
