"""Drafts of competition.yaml: from tables, folders and arrays, with reasons and doubts."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from medfold.competition import CompetitionFacts, load_facts
from medfold.errors import UserError
from medfold.paths import ProjectPaths
from medfold.scaffold.from_files import draft_facts
from medfold.system import archives
from tests.lookalikes import LOOKALIKES
from tests.support.drafts import drafted, facts_and_doubts, pictures, rows, table, write_images
from tests.support.helpers import REPOSITORY, picture, refused

ROOT = ProjectPaths(REPOSITORY)
ARRAYS = [name for name in LOOKALIKES if name.endswith("mnist")]
TABLES_OR_FOLDERS = [name for name in LOOKALIKES if not name.endswith("mnist")]


class PresetDraft(NamedTuple):
    """The draft from a look-alike, and the facts that medfold ships."""

    drafted: dict[str, Any]
    known: CompetitionFacts
    targets: list[str]


@pytest.fixture(scope="module", params=TABLES_OR_FOLDERS)
def preset(request, tmp_path_factory) -> PresetDraft:
    """The draft of each preset whose labels are in tables or folders."""
    raw = tmp_path_factory.mktemp("raw")
    truth = LOOKALIKES[request.param](raw, np.random.default_rng(0))
    archives.unpack_nested(raw)
    known = load_facts(ROOT.competition(request.param))
    return PresetDraft(draft_facts(raw).facts, known, truth["targets"])


def test_task_and_image_patterns_of_presets_are_drafted(preset):
    known, images = preset.known, preset.drafted["images"]
    assert preset.drafted["task"] == known.task
    assert images.get("root", "") == known.images.root
    own_name = f"{{{known.labels.id}}}"
    train = images["train"] if isinstance(images["train"], list) else [images["train"]]
    assert train[0] == known.images.train[0].replace(own_name, "{id}")
    if known.images.test:
        assert images["test"] == known.images.test[0].replace(own_name, "{id}")
    else:
        assert preset.drafted["labels"].get("holdout") or known.labels.holdout
    if isinstance(known.images.channels, list):
        assert images["channels"] == known.images.channels


def test_labels_of_presets_are_drafted(preset):
    known, labels = preset.known, preset.drafted["labels"]
    assert labels["layout"] == known.labels.layout
    if known.labels.layout == "folders":
        assert sorted(preset.drafted["classes"]) == sorted(known.classes)
        return
    assert labels["id"] == known.labels.id
    assert labels["targets"] == preset.targets == known.labels.targets
    assert labels.get("group") == known.labels.group


def test_unit_and_submission_of_presets_are_drafted(preset):
    known, drafted = preset.known, preset.drafted
    if known.labels.layout == "folders":
        return
    assert drafted.get("score", {}).get("unit") == known.score.unit
    if known.submission.sample:
        assert drafted["submission"]["id"] == known.submission.id
        assert drafted["submission"].get("layout", "wide") == known.submission.layout


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_presets_are_drafted_correctly(name, tmp_path):
    LOOKALIKES[name](tmp_path, np.random.default_rng(0))
    found = draft_facts(tmp_path).facts
    known = load_facts(ROOT.competition(name))
    assert found["labels"]["file"] == known.labels.file
    assert tuple(found["labels"]["train_arrays"]) == known.labels.train_arrays
    assert len(found["labels"]["targets"]) == len(known.labels.targets)
    assert found["images"]["channels"] == known.images.num_channels
    assert found["task"] == known.task or {found["task"], known.task} == {"ordinal", "multiclass"}
    assert found.get("classes") == known.classes


def test_missing_images_or_labels_raise(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with refused(
        r": contains no images\. Files: notes\.txt\. Name the folder or the archive with the images: FROM=folder"
    ):
        draft_facts(tmp_path)
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with refused("no arrays train_images"):
        draft_facts(tmp_path)
    picture(tmp_path / "1.png")
    (tmp_path / "train.csv").write_text("id,age\n1,7\n")
    with refused("no column of .* could be a label"):
        draft_facts(tmp_path)


@pytest.mark.parametrize(
    "table", ["name,label\nfoo,1\nbar,0\n", "id;label\n0;x\n"], ids=["of other names", "with another separator"]
)
def test_train_and_test_folders_never_become_classes(tmp_path, table):
    """Otherwise the folders train and test would become the classes."""
    write_images(tmp_path, "train/p{n}.png", "test/q{n}.png")
    (tmp_path / "train.csv").write_text(table)
    with pytest.raises(
        UserError,
        match="neither a table with the ids of images, nor folders that could be classes|no column of them names",
    ):
        draft_facts(tmp_path)


def test_test_folder_with_same_names_is_not_a_copy(tmp_path):
    for number in range(6):
        picture(tmp_path / f"{number}.png", seed=number)
        picture(tmp_path / f"test/{number}.png", seed=number, shape=(20, 30))
    (tmp_path / "train.csv").write_text(rows("id,label", lambda row: f"{row},{row % 2}", 6))
    facts, report = drafted(tmp_path)
    assert "second copy" not in report
    assert facts["labels"]["file"] == "train.csv"


@pytest.mark.parametrize("column", ["scanner", "patient_id"])
def test_class_folders_are_preferred_to_table_without_labels(tmp_path, column):
    pictures(tmp_path, "benign/b{n}.png", "malignant/m{n}.png")
    rows = [f"{letter}{n:03},{'AB'[n % 2] if column == 'scanner' else n // 2}" for letter in "bm" for n in range(12)]
    table(tmp_path, "metadata.csv", f"image,{column}", *rows)
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["labels"]["layout"], facts["classes"]) == ("folders", ["benign", "malignant"])
    assert "metadata.csv: not used, since folders name the classes" in said


def test_draft_from_folders_keeps_nothing_of_a_table_without_labels(tmp_path):
    pictures(tmp_path, "benign/b{n}.png", "malignant/m{n}.png")
    (tmp_path / "all" / "benign").mkdir(parents=True)
    copied = tmp_path / "all" / "benign" / "b000.png"
    copied.write_bytes((tmp_path / "benign" / "b000.png").read_bytes())
    names = [f"{letter}{n:03}" for letter in "bm" for n in range(12)]
    table(tmp_path, "metadata.csv", "image,scanner,fold", *(f"{name},{'AB'[n % 2]},1" for n, name in enumerate(names)))
    draft = draft_facts(tmp_path)
    assert {key.partition(".")[0] for key, _, _ in draft.reasons} == {"labels", "images", "classes"}
    assert list(map(str, draft.doubts)) == [
        "all/ is a second copy of the files beside it: not used",
        "labels.group_pattern: do the file names contain patient ids?",
        "metadata.csv: not used, since folders name the classes",
    ]


def test_damaged_table_beside_class_folders_is_reported(tmp_path):
    pictures(tmp_path, "benign/b{n}.png", "malignant/m{n}.png")
    (tmp_path / "damaged.xlsx").write_text("x")
    table(tmp_path, "metadata.csv", "image,scanner", *(f"b{n:03},{'AB'[n % 2]}" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["layout"] == "folders"
    assert "damaged.xlsx cannot be read, and is not used: not a readable table" in said


def test_label_table_is_preferred_to_site_folders(tmp_path):
    pictures(tmp_path, "site_A/a{n}.png", "site_B/b{n}.png")
    table(tmp_path, "table.csv", "image,covid", *(f"{s}{n:03},{n % 2}" for s in "ab" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["labels"]["file"], facts["labels"]["targets"]) == ("table.csv", ["covid"])


def test_table_without_names_of_images_is_reported_once(tmp_path):
    pictures(tmp_path, "site_A/a{n}.png", "site_B/b{n}.png")
    table(tmp_path, "scanners.csv", "site,scanner", "A,GE", "B,Siemens")
    _, said = facts_and_doubts(tmp_path)
    assert said.count("scanners.csv") == 1


def test_unused_images_and_tables_are_reported(tmp_path):
    pictures(tmp_path, "images_a/a{n}.png", "images_b/b{n}.png")
    for half in "ab":
        table(tmp_path, f"labels_{half}.csv", "image,label", *(f"{half}{n:03},{n % 2}" for n in range(12)))
    _, said = facts_and_doubts(tmp_path)
    assert "labels_b.csv has names of images, too: not used" in said
    assert "12 of 24 images are in no table and not used: in images_b" in said
    np.savez(tmp_path / "x.npz", a=np.zeros(2))
    (tmp_path / "normal").mkdir()
    (tmp_path / "normal" / "x.nii.gz").write_bytes(b"x")
    assert "1 file in normal: NIfTI, which is not supported" in facts_and_doubts(tmp_path)[1]


def test_latest_in_a_file_name_is_not_test(tmp_path):
    pictures(tmp_path, "site_A/a{n}.png")
    table(tmp_path, "labels_latest.csv", "image,diagnosis", *(f"a{n:03},{'xyz'[n % 3]}" for n in range(12)))
    assert facts_and_doubts(tmp_path)[0]["labels"]["file"] == "labels_latest.csv"


def test_validation_table_is_the_test_table_if_there_is_none(tmp_path):
    pictures(tmp_path, "train/a{n}.png", "valid/b{n}.png", "test/c{n}.png")
    for part, letter in (("train", "a"), ("valid", "b")):
        table(tmp_path, f"{part}.csv", "image,label", *(f"{letter}{n:03},{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["labels"]["file"], facts["labels"]["test_file"]) == ("train.csv", "valid.csv")
    assert (facts["images"]["train"], facts["images"]["test"]) == ("train/{id}.png", "valid/{id}.png")
    table(tmp_path, "test.csv", "image", *(f"c{n:03}" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["test_file"] == "test.csv"
    assert "valid.csv has names of images, too: not used; add its rows to train on them" in said
