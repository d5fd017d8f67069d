"""What `make new` makes of the files of every preset."""

import numpy as np
import pytest

from medfold import competition
from medfold.errors import UserError
from medfold.guess import guess
from medfold.guess.found import Guess
from medfold.paths import Paths
from medfold.sources import archives
from tests.conftest import REPOSITORY
from tests.helpers import picture
from tests.lookalikes import LOOKALIKES

ROOT = Paths(REPOSITORY)
ARRAYS = [name for name in LOOKALIKES if name.endswith("mnist")]
TABLES_OR_FOLDERS = [name for name in LOOKALIKES if not name.endswith("mnist")]


@pytest.mark.parametrize("name", TABLES_OR_FOLDERS)
def test_id_targets_and_images_of_every_preset_are_guessed(name, tmp_path):
    truth = LOOKALIKES[name](tmp_path, np.random.default_rng(0))
    archives.expand(tmp_path)
    found = guess(tmp_path).facts
    known = competition.load(ROOT.competition(name), ROOT.bases)
    assert found["task"] == known.task
    labels, images = found["labels"], found["images"]
    assert labels["shape"] == known.labels.shape
    assert images.get("root", "") == known.images.root
    own_name = f"{{{known.labels.id}}}"
    assert images["train"] == known.images.train[0].replace(own_name, "{id}")
    if known.images.test:
        assert images["test"] == known.images.test[0].replace(own_name, "{id}")
    else:
        assert labels.get("holdout") or known.labels.holdout
    if known.labels.shape == "folders":
        assert sorted(found["classes"]) == sorted(known.classes)
        return
    assert labels["id"] == known.labels.id
    assert labels["targets"] == truth["targets"] == known.labels.targets
    assert labels.get("group") == known.labels.group
    assert found.get("score", {}).get("unit") == known.score.unit
    if isinstance(known.images.channels, list):
        assert images["channels"] == known.images.channels
    if known.submission.sample:
        assert found["submission"]["id"] == known.submission.id
        assert found["submission"].get("shape", "wide") == known.submission.shape


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_images_and_labels_are_recognised(name, tmp_path):
    LOOKALIKES[name](tmp_path, np.random.default_rng(0))
    found = guess(tmp_path).facts
    known = competition.load(ROOT.competition(name), ROOT.bases)
    assert found["labels"]["file"] == known.labels.file
    assert tuple(found["labels"]["train"]) == known.labels.train
    assert len(found["labels"]["targets"]) == len(known.labels.targets)
    assert found["images"]["channels"] == known.images.depth
    assert found["task"] == known.task or {found["task"], known.task} == {"ordinal", "multiclass"}
    assert found.get("classes") == known.classes


def test_files_without_images_or_labels_are_told(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(UserError, match="no image in it. It has notes.txt"):
        guess(tmp_path)
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(UserError, match="no arrays train_images"):
        guess(tmp_path)
    picture(tmp_path / "1.png")
    (tmp_path / "train.csv").write_text("id,age\n1,7\n")
    with pytest.raises(UserError, match="no column that could be a label"):
        guess(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected", "told"),
    [
        (["Malignant", "Normal"], ["Normal", "Malignant"], True),
        (["COVID", "healthy"], ["healthy", "COVID"], True),
        (["glioma", "no_tumor"], ["no_tumor", "glioma"], True),
        (["cancer", "non-cancer"], ["non-cancer", "cancer"], True),
        (["Parasitized", "Uninfected"], ["Uninfected", "Parasitized"], True),
        (["benign", "malignant"], ["benign", "malignant"], True),
        (["no", "yes"], ["no", "yes"], True),
        (["patient", "Control"], ["Control", "patient"], True),
        (["left", "right"], ["left", "right"], False),
        (["benign", "normal"], ["benign", "normal"], False),
    ],
)
def test_words_for_healthy_name_the_negative_class(names, expected, told):
    found = Guess()
    found.two_classes(names)
    assert found.facts["classes"] == expected
    if told:
        ((key, _, why),) = found.reasons
        assert (key, found.doubts) == ("classes", [])
        assert f"'{expected[1]}' is positive" in why
    else:
        assert found.doubts == [f"classes: I cannot tell which is positive; now it is '{expected[1]}', the second one"]
