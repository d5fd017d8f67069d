"""What is packed for Kaggle is a list by kind: no other file, nothing behind a link, and no secret called weights."""

import json
import re
from zipfile import ZipFile

import h5py
import pytest

from medfold.competition import Recipe
from medfold.notebooks.training_bundle import write_training_bundle
from medfold.system.hashes import sha256
from medfold.training import TrainingRequest
from tests.support.helpers import picture, refused
from tests.support.kaggle_server import TOKEN, HostedCompetition, KaggleServer
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
def pack(folded, monkeypatch):
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


STRAY_IN_CLONE = [
    "competition/clinic/notes.md",
    "competition/clinic/.env",
    "competition/clinic/kaggle.json",
    "runs/clinic/baseline/notes.md",
    "runs/clinic/baseline/fold0/access_token",
    "folds/access.csv",
    ".env",
    "src/medfold.egg-info/access_token",
    "submissions/clinic/access_token",
]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["notebook", "submit DRY_RUN=1 FORCE=1"])
def test_make_packs_no_stray_file(trained_victim, target):
    for name in STRAY_IN_CLONE:
        path = trained_victim.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"token: {TOKEN}\n")  # not the token of the victim, which may be in no file at all
    assert trained_victim.make(*target.split()).code == 0
    packed = trained_victim.files_of("runs/clinic/baseline/notebook", "submissions/clinic")
    assert len(packed) > 1
    holding = {name for name, content in packed.items() if TOKEN.encode() in content}
    assert holding <= set(STRAY_IN_CLONE)


def link_to_weights(victim):
    weights = keras_weights(victim.outside / "net.weights.h5")
    victim.plant()
    path = victim.clone / "runs" / "clinic" / "baseline" / "fold0" / "net.weights.h5"
    path.unlink()
    path.symlink_to(weights)


def token_as_weights(victim):
    fold = victim.clone / "runs" / "clinic" / "baseline" / "fold0"
    (fold / "net.weights.h5").write_text(TOKEN)
    marker = json.loads((fold / "done.json").read_text())
    (fold / "done.json").write_text(json.dumps({**marker, "net.weights.h5": sha256(fold / "net.weights.h5")}))


def link_to_plugins(victim):
    (victim.outside / "plugins.py").write_text("token = 1\n")
    victim.plant()
    (victim.clone / "competition" / "clinic" / "plugins.py").symlink_to(victim.outside / "plugins.py")


def link_within_the_code(victim):
    (victim.clone / "src" / "medfold" / "notes.md").symlink_to(victim.outside / "diary.txt")


def link_to_the_licence(victim):
    (victim.clone / "LICENSE").unlink()
    (victim.clone / "LICENSE").symlink_to(victim.outside / "diary.txt")


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [link_to_weights, token_as_weights, link_to_plugins, link_within_the_code, link_to_the_licence]
)
def test_make_notebook_packs_nothing_behind_a_link_and_no_token_as_weights(trained_victim, change):
    change(trained_victim)
    line = trained_victim.refuse("notebook")
    assert "a link, and files for Kaggle are not read through links" in line or "not a weights file of Keras" in line
    assert not trained_victim.files_of("runs/clinic/baseline/notebook")


@pytest.fixture
def kaggle_of_victim(trained_victim):
    """An imitation of Kaggle that the commands of the victim reach; a token for it is in the environment."""
    with KaggleServer() as server:
        server.competitions["clinic"] = HostedCompetition()
        trained_victim.environment = server.environment(trained_victim.home)
        yield server


SENT = {
    "a token as weights": ("{clone}/net.weights.h5", None),
    "a link as weights": ("{clone}/linked.weights.h5", None),
    "the token of the user as weights": ("{home}/.kaggle/access_token", None),
    "a link as folds": ("", "folds/clinic.csv"),
    "a link as recipe": ("", "competition/clinic/more.yaml"),
    "a link as checkpoint": ("", "runs/clinic/mine/fold0/checkpoint.npz"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "link"), SENT.values(), ids=SENT)
def test_make_train_on_kaggle_sends_nothing_of_the_kind(trained_victim, kaggle_of_victim, weights, link):
    victim = trained_victim
    (victim.clone / "net.weights.h5").write_text(TOKEN)
    (victim.clone / "linked.weights.h5").symlink_to(victim.home / ".kaggle" / "access_token")
    if link:
        path = victim.clone / link
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text() if path.is_file() else "images: {size: 32}\n"
        (victim.outside / path.name).write_text(text)
        victim.plant()
        path.unlink(missing_ok=True)
        path.symlink_to(victim.outside / path.name)
    given = f"backbone.name=MobileNetV2 backbone.weights='{weights.format(clone=victim.clone, home=victim.home)}'"
    settings = [f"SET={given}"] if weights else []
    line = victim.refuse("train", "ON=kaggle", "RUN=mine", "FOLD=0", *settings)
    assert re.search("a link, and files for Kaggle|not a weights file of Keras|no such weights file", line), line
    assert kaggle_of_victim.uploads == {}
