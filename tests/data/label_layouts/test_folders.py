"""Label layout `folders`: labels as names of folders."""

import pytest

from medfold.data.label_layouts import LAYOUTS
from tests.support import dicom_files
from tests.support.helpers import competition_facts, picture, refused
from tests.support.label_tables import facts


def test_folders_take_groups_from_pattern_fields_or_headers(tmp_path):
    for number in range(6):
        made = dicom_files.dataset(dicom_files.smooth((16, 16), seed=number), PatientID=f"P{number // 2}")
        folder = tmp_path / ("normal", "sick", "unclear")[number // 2] / f"case{number // 2}"
        folder.mkdir(parents=True, exist_ok=True)
        dicom_files.save(folder / f"{number}.dcm", made)
    images = {"train": "{label}/{case}/{id}.dcm", "dicom_headers": ["PatientID"]}
    labels = {"layout": "folders", "file": "", "holdout": 0.5, "map": {"normal": 0, "sick": 1, "unclear": None}}
    train, *_ = LAYOUTS["folders"](facts(images, group="case", **labels), tmp_path)
    assert (train["id"].tolist(), train["sick"].tolist()) == (list("0123"), list("0011"))
    assert train["patient"].tolist() == ["train case0"] * 2 + ["train case1"] * 2
    train, *_ = LAYOUTS["folders"](facts(images, group="PatientID", **labels), tmp_path)
    assert train["patient"].tolist() == ["P0", "P0", "P1", "P1"]
    with refused("no field of images.train and no header is called 'lesion'"):
        LAYOUTS["folders"](facts(images, group="lesion", **labels), tmp_path)


@pytest.fixture
def folders(tmp_path):
    raw = tmp_path / "raw"
    for name in (
        "train/NO/IM-01-1",
        "train/NO/IM-01-2",
        "train/YES/person3_a_1",
        "test/NO/IM-01-9",
        "val/YES/person3_b_2",
    ):
        picture(raw / f"{name}.jpeg")
    (raw / "__MACOSX").mkdir()
    (raw / "train" / "NO" / "._IM-01-1.jpeg").write_bytes(b"")
    return raw, competition_facts(
        classes=["NO", "YES"],
        labels={"layout": "folders", "targets": ["sick"], "group_pattern": r"person\d+|IM-\d+"},
        images={"train": "train/{label}/{id}.jpeg", "test": ["test/{label}/{id}.jpeg", "val/{label}/{id}.jpeg"]},
    )


def test_folders_give_label_patient_and_solution(folders):
    raw, facts = folders
    train, test, solution = LAYOUTS["folders"](facts, raw)
    assert train[["id", "sick", "patient"]].to_numpy().tolist() == [
        ["IM-01-1", "NO", "train IM-01"],
        ["IM-01-2", "NO", "train IM-01"],
        ["person3_a_1", "YES", "train person3"],
    ]
    assert test["patient"].tolist() == ["test IM-01", "test person3"]
    assert "sick" not in test
    assert solution.to_numpy().tolist() == [["IM-01-9", "NO", "Private"], ["person3_b_2", "YES", "Private"]]


def test_folder_that_is_not_a_class_is_refused(folders):
    raw, facts = folders
    picture(raw / "train/MAYBE/x.jpeg")
    with refused("'MAYBE' is not a class"):
        LAYOUTS["folders"](facts, raw)


def test_unmatched_pattern_lists_the_existing_folders(folders):
    raw, facts = folders
    images = facts.images.model_copy(update={"train": ["training/{label}/{id}.jpeg"]})
    with refused("no train image matches training.*Folders found: test/NO"):
        LAYOUTS["folders"](facts.model_copy(update={"images": images}), raw)


@pytest.fixture
def flat(tmp_path):
    """Class folders with repeated image names, and a test folder without labels."""
    raw = tmp_path / "raw"
    for name in ("train/NO/0", "train/NO/1", "train/YES/0", "train/YES/2", "test/0", "test/7"):
        picture(raw / f"{name}.png", seed=len(name))
    for name in ("train/.ipynb_checkpoints/0.png", "train/NO/Thumbs.db", "__MACOSX/train/NO/0.png"):
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(b"")
    labels = {"layout": "folders", "targets": ["sick"]}
    images = {"train": "train/{label}/{id}.png", "test": "test/{id}.png"}
    return raw, competition_facts(classes=["NO", "YES"], labels=labels, images=images)


def test_repeated_names_become_paths_and_flat_test_is_unlabelled(flat, capsys):
    raw, facts = flat
    train, test, solution = LAYOUTS["folders"](facts, raw)
    assert solution is None
    assert test[["id", "image"]].to_numpy().tolist() == [["0", "test/0.png"], ["7", "test/7.png"]]
    assert "sick" not in test
    assert train[["id", "sick"]].to_numpy().tolist() == [
        ["NO/0", "NO"],
        ["NO/1", "NO"],
        ["YES/0", "YES"],
        ["YES/2", "YES"],
    ]
    assert "names of train images recur: ids are made of their paths, like NO/0" in capsys.readouterr().out


def test_id_pattern_builds_ids_from_folder_and_name(flat, capsys):
    raw, facts = flat
    labels = facts.labels.model_copy(update={"id": "{label}-{id}"})
    images = facts.images.model_copy(update={"test": [], "train": ["train/{label}/{id}.png"]})
    train, test, _ = LAYOUTS["folders"](facts.model_copy(update={"labels": labels, "images": images}), raw)
    assert train["id"].tolist() == ["NO-0", "NO-1", "YES-0", "YES-2"]
    assert test is None
    assert capsys.readouterr().out == ""


def test_excluded_images_are_not_samples(flat):
    raw, facts = flat
    picture(raw / "train/NO/0_mask.png")
    picture(raw / "train/masks/0.png")
    images = facts.images.model_copy(update={"exclude": ["*_mask.png", "train/masks/*"]})
    train, _, _ = LAYOUTS["folders"](facts.model_copy(update={"images": images}), raw)
    assert len(train) == 4


def test_partly_labelled_test_part_is_refused(flat):
    raw, facts = flat
    picture(raw / "val/NO/x.png")
    images = facts.images.model_copy(update={"test": ["test/{id}.png", "val/{label}/{id}.png"]})
    with refused(r"images.test: some patterns of the test set have \{label\}"):
        LAYOUTS["folders"](facts.model_copy(update={"images": images}), raw)


def test_test_folder_beside_class_folders_is_not_a_class(flat):
    raw, facts = flat
    for name in ("NO/a", "YES/b"):
        picture(raw / f"here/{name}.png")
    picture(raw / "here/test/c.png")
    images = facts.images.model_copy(update={"train": ["{label}/{id}.png"], "test": ["test/{id}.png"]})
    train, test, _ = LAYOUTS["folders"](facts.model_copy(update={"images": images}), raw / "here")
    assert train["id"].tolist() == ["a", "b"]
    assert test["id"].tolist() == ["c"]


def test_id_pattern_with_label_is_ignored_for_unlabelled_test(flat):
    raw, facts = flat
    labels = facts.labels.model_copy(update={"id": "{label}/{id}"})
    train, test, _ = LAYOUTS["folders"](facts.model_copy(update={"labels": labels}), raw)
    assert test["id"].tolist() == ["0", "7"]
    assert train["id"].tolist() == ["NO/0", "NO/1", "YES/0", "YES/2"]


def test_names_that_differ_by_extension_keep_it(flat):
    raw, facts = flat
    picture(raw / "train/NO/0.jpg")
    images = facts.images.model_copy(update={"train": ["train/{label}/{id}.png", "train/{label}/{id}.jpg"]})
    train, _, _ = LAYOUTS["folders"](facts.model_copy(update={"images": images}), raw)
    assert train["id"].is_unique
    assert {"train/NO/0.jpg", "train/NO/0.png"} <= set(train["id"])
