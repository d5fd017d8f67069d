"""Drafts of competition.yaml: from tables, folders and arrays, with reasons and doubts."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from medfold.competition.project import load_competition
from medfold.data.sources import archives
from medfold.errors import UserError
from medfold.paths import Workspace
from medfold.scaffold.draft import Draft
from medfold.scaffold.drafting import draft_facts
from tests.conftest import REPOSITORY
from tests.lookalikes import LOOKALIKES
from tests.support.helpers import picture

ROOT = Workspace(REPOSITORY)
ARRAYS = [name for name in LOOKALIKES if name.endswith("mnist")]
TABLES_OR_FOLDERS = [name for name in LOOKALIKES if not name.endswith("mnist")]


@pytest.mark.parametrize("name", TABLES_OR_FOLDERS)
def test_tables_and_folders_of_presets_are_drafted_correctly(name, tmp_path):
    truth = LOOKALIKES[name](tmp_path, np.random.default_rng(0))
    archives.unpack_nested(tmp_path)
    found = draft_facts(tmp_path).facts
    known = load_competition(ROOT.competition(name), ROOT.base_folder)
    assert found["task"] == known.task
    labels, images = found["labels"], found["images"]
    assert labels["layout"] == known.labels.layout
    assert images.get("root", "") == known.images.root
    own_name = f"{{{known.labels.id}}}"
    train = images["train"] if isinstance(images["train"], list) else [images["train"]]
    assert train[0] == known.images.train[0].replace(own_name, "{id}")
    if known.images.test:
        assert images["test"] == known.images.test[0].replace(own_name, "{id}")
    else:
        assert labels.get("holdout") or known.labels.holdout
    if known.labels.layout == "folders":
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
        assert found["submission"].get("layout", "wide") == known.submission.layout


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_presets_are_drafted_correctly(name, tmp_path):
    LOOKALIKES[name](tmp_path, np.random.default_rng(0))
    found = draft_facts(tmp_path).facts
    known = load_competition(ROOT.competition(name), ROOT.base_folder)
    assert found["labels"]["file"] == known.labels.file
    assert tuple(found["labels"]["train"]) == known.labels.train
    assert len(found["labels"]["targets"]) == len(known.labels.targets)
    assert found["images"]["channels"] == known.images.num_channels
    assert found["task"] == known.task or {found["task"], known.task} == {"ordinal", "multiclass"}
    assert found.get("classes") == known.classes


def test_missing_images_or_labels_raise(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(UserError, match=": contains no images. Files: notes.txt"):
        draft_facts(tmp_path)
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(UserError, match="no arrays train_images"):
        draft_facts(tmp_path)
    picture(tmp_path / "1.png")
    (tmp_path / "train.csv").write_text("id,age\n1,7\n")
    with pytest.raises(UserError, match="no column that could be a label"):
        draft_facts(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected", "known"),
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
def test_word_for_healthy_sets_the_negative_class(names, expected, known):
    found = Draft()
    found.set_two_classes(names)
    assert found.facts["classes"] == expected
    if known:
        ((key, _, why),) = found.reasons
        assert (key, found.doubts) == ("classes", [])
        assert f"'{expected[1]}' is positive" in why
    else:
        assert found.doubts == [f"classes: unclear which class is positive; '{expected[1]}' is used, the second one"]


def write_images(root, *names):
    """Writes six images for each name, with {n} replaced by 0 to 5."""
    for number, name in enumerate(names):
        for count in range(6):
            picture(root / name.format(n=count), seed=100 * number + count)


def drafted(root):
    """Returns the drafted facts, and the reasons and doubts as text."""
    found = draft_facts(root)
    return found.facts, "\n".join([*(f"{key}: {value} ({why})" for key, value, why in found.reasons), *found.doubts])


def test_flat_test_folder_becomes_test_part(tmp_path):
    write_images(tmp_path, "Training/glioma/{n}.jpg", "Training/no_tumor/{n}.jpg", "Testing/{n}.jpg")
    facts, report = drafted(tmp_path)
    assert facts["images"]["train"] == "Training/{label}/{id}.jpg"
    assert facts["images"]["test"] == "Testing/{id}.jpg"
    assert facts["classes"] == ["no_tumor", "glioma"]
    assert facts["images"]["channels"] == 1
    assert "holdout" not in facts["labels"]
    assert "images.train: Training/{label}/{id}.jpg (12 images)" in report
    assert "images.test: Testing/{id}.jpg (6 images without labels)" in report


def test_validation_folder_becomes_test_part_without_a_test_folder(tmp_path):
    names = [f"{part}/{label}/{{n}}.png" for part in ("train", "valid") for label in ("a", "b", "c")]
    write_images(tmp_path / "one", *names, "test/{n}.png")
    facts, report = drafted(tmp_path / "one")
    assert facts["images"]["train"] == ["train/{label}/{id}.png", "valid/{label}/{id}.png"]
    assert "including 18 of the validation part" in report
    write_images(tmp_path / "two", *names)
    facts, _ = drafted(tmp_path / "two")
    assert facts["images"]["train"] == "train/{label}/{id}.png"
    assert facts["images"]["test"] == "valid/{label}/{id}.png"


def test_all_suffixes_and_folders_of_a_part_are_included(tmp_path):
    write_images(tmp_path, "part_1/a/{n}.jpg", "part_2/a/x{n}.JPG", "part_1/b/{n}.png", "part_2/b/x{n}.jpeg")
    facts, report = drafted(tmp_path)
    assert set(facts["images"]["train"]) == {
        "part_1/{label}/{id}.jpg",
        "part_2/{label}/{id}.JPG",
        "part_1/{label}/{id}.png",
        "part_2/{label}/{id}.jpeg",
    }
    assert "24 images" in report


def test_masks_are_excluded_and_reported(tmp_path):
    write_images(
        tmp_path / "one",
        "benign/x ({n}).png",
        "benign/x ({n})_mask.png",
        "normal/y ({n}).png",
        "normal/y ({n})_mask.png",
    )
    picture(tmp_path / "one/benign/x (0)_mask_1.png")
    facts, report = drafted(tmp_path / "one")
    assert facts["images"]["exclude"] == ["*_mask.*", "*_mask_1.*"]
    assert "13 images are named like others" in report
    write_images(
        tmp_path / "two", *(f"{label}/{kind}/{{n}}.png" for label in ("sick", "well") for kind in ("images", "masks"))
    )
    facts, _ = drafted(tmp_path / "two")
    assert facts["classes"] == ["sick", "well"]
    assert facts["images"]["train"] == "{label}/images/{id}.png"
    assert facts["images"]["exclude"] == ["*/masks/*"]


def test_possible_masks_are_kept_and_reported(tmp_path):
    write_images(tmp_path, "a/{n}.png", "a/{n}_b.png", "b/{n}.png", "b/{n}_b.png")
    facts, report = drafted(tmp_path)
    assert "exclude" not in facts["images"]
    assert "12 images are named like others with '_b' added" in report


def test_hidden_folders_are_not_classes(tmp_path):
    write_images(tmp_path, "train/a/{n}.png", "train/b/{n}.png", "train/.ipynb_checkpoints/{n}.png")
    facts, _ = drafted(tmp_path)
    assert facts["classes"] == ["a", "b"]


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


def test_few_grey_images_keep_three_channels(tmp_path):
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        write_images(tmp_path, f"{label}/{{n}}.png")
        for number in range(6, 30):
            picture(tmp_path / label / f"{number}.png", shape=(12, 10, 3), seed=int(rng.integers(999)))
    facts, report = drafted(tmp_path)
    assert facts["images"]["channels"] == 3
    assert "images examined are grey: do the colours of the others mean anything?" in report


def write_table(root, text, count=60):
    """Writes a table, and images 0.png, 1.png ..."""
    for number in range(count):
        picture(root / f"images/{number}.png", seed=number)
    (root / "train.csv").write_text(text)
    return root


def rows(head, row, count=60):
    return "\n".join([head, *(row(number) for number in range(count)), ""])


def test_row_number_column_is_not_the_id(tmp_path):
    """A table from df.sample(frac=1).reset_index(drop=True).to_csv(): with its index as id, labels would be wrong."""
    order = np.random.default_rng(0).permutation(60)
    for number, head in enumerate((",id,label", "index,id,label", "row,id,label")):
        text = rows(head, lambda row: f"{row},{order[row]},{order[row] % 2}")
        facts, report = drafted(write_table(tmp_path / str(number), text))
        assert facts["labels"]["id"] == "id"
        assert ("labels.id: values of row are names of images, too" in report) == (number == 2)


def test_patient_id_is_preferred_as_group(tmp_path):
    text = rows("id,Patient Age,Patient ID,label", lambda row: f"{row},{row % 7},P{row // 3},{row % 2}")
    facts, _ = drafted(write_table(tmp_path, text))
    assert facts["labels"]["group"] == "Patient ID"


def test_patient_age_is_not_used_as_group(tmp_path):
    text = rows("id,Patient Age,Patient Sex,label", lambda row: f"{row},{row % 7},{'MF'[row % 2]},{row % 2}")
    facts, report = drafted(write_table(tmp_path, text))
    assert "group" not in facts["labels"]
    assert "labels.group: patients unknown" in report


@pytest.mark.parametrize(
    ("values", "task", "names", "separator"),
    [
        (["tumor", "no tumor"], "binary", ["no tumor", "tumor"], None),
        (["No Finding", "Pneumonia"], "binary", ["No Finding", "Pneumonia"], None),
        (["Basal cell carcinoma", "Melanoma", "Benign nevus"], "multiclass", None, None),
        (["nodule|mass (lung)", "mass (lung)", "nodule"], "multilabel", ["mass (lung)", "nodule"], "|"),
        (["A|B", "A", "No Finding"], "multilabel", ["A", "B", "No Finding"], "|"),
        (["x; y", "x", "y; z", "z"], "multilabel", ["x", "y", "z"], ";"),
        (["['a', 'b']", "['a']", "['b', 'c']", "['a', 'c']"], "multilabel", ["a", "b", "c"], ","),
        (["0 1", "1", "2 0", "0 1 2", "2"], "multilabel", ["0", "1", "2"], " "),
    ],
)
def test_text_labels_become_classes_or_label_lists(tmp_path, values, task, names, separator):
    text = rows("id\tlabel", lambda row: f"{row}\t{values[row % len(values)]}")
    facts, _ = drafted(write_table(tmp_path, text))
    assert facts["task"] == task
    if task == "multilabel":
        assert facts["labels"]["targets"] == names
        assert facts["labels"].get("separator", " ") == separator
    elif names:
        assert facts["classes"] == names


def test_column_whose_values_are_sample_columns_is_target(tmp_path):
    text = rows("id,sex,dx", lambda row: f"{row},{'mf'[row % 2]},{('mel', 'nv', 'bkl')[row % 3]}")
    write_table(tmp_path, text)
    (tmp_path / "sample_submission.csv").write_text("id,bkl,mel,nv\n900,0,0,1\n")
    facts, report = drafted(tmp_path)
    assert facts["labels"]["targets"] == ["dx"]
    assert facts["task"] == "multiclass"
    assert sorted(facts["classes"]) == ["bkl", "mel", "nv"]
    assert "its values are columns of sample_submission.csv" in report


def test_gzipped_latin_1_table_with_semicolons_is_read(tmp_path):
    import gzip

    text = rows("id;befund", lambda row: f"{row};{('gut', 'schön')[row % 2]}")
    write_table(tmp_path, "")
    (tmp_path / "train.csv").unlink()
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress(text.encode("latin-1")))
    facts, _ = drafted(tmp_path)
    assert facts["labels"]["file"] == "train.csv.gz"
    assert facts["classes"] == ["gut", "schön"]


def test_class_name_containing_roi_is_not_a_mask(tmp_path):
    write_images(tmp_path, "thyroid/{n}.png", "normal/{n}.png", "fibroid/{n}.png")
    facts, _ = drafted(tmp_path)
    assert facts["classes"] == ["fibroid", "normal", "thyroid"]
    assert "exclude" not in facts["images"]


def test_test_folder_with_same_names_is_not_a_copy(tmp_path):
    for number in range(6):
        picture(tmp_path / f"{number}.png", seed=number)
        picture(tmp_path / f"test/{number}.png", seed=number, shape=(20, 30))
    (tmp_path / "train.csv").write_text(rows("id,label", lambda row: f"{row},{row % 2}", 6))
    facts, report = drafted(tmp_path)
    assert "second copy" not in report
    assert facts["labels"]["file"] == "train.csv"


def test_index_column_is_the_id_without_another_one(tmp_path):
    write_table(tmp_path, rows("index,label", lambda row: f"{row},{row % 2}"))
    (tmp_path / "test_readme.txt").write_text("Well, this is\na text, with commas, and more, of them\n")
    facts, _ = drafted(tmp_path)
    assert facts["labels"]["id"] == "index"


def write_labelled(root, header, rows):
    """Writes images i0.png, i1.png ... and a table with their names in its first column."""
    for number in range(len(rows)):
        picture(root / "images" / f"i{number}.png", seed=number)
    lines = [header, *(f"i{number},{row}" for number, row in enumerate(rows))]
    (root / "train.csv").write_text("\n".join(lines) + "\n")


def test_one_hot_columns_become_classes(tmp_path):
    write_labelled(
        tmp_path,
        "image,sex,MEL,NV,BCC",
        [f"{n % 2},{int(n % 3 == 0)},{int(n % 3 == 1)},{int(n % 3 == 2)}" for n in range(9)],
    )
    facts, report = drafted(tmp_path)
    assert (facts["task"], facts["classes"]) == ("multiclass", ["MEL", "NV", "BCC"])
    assert facts["labels"] | {"holdout": 0.2} == {
        "file": "train.csv",
        "layout": "one_hot",
        "id": "image",
        "targets": ["label"],
        "holdout": 0.2,
    }
    assert "labels.layout: one_hot (3 columns, one of them 1 in each row" in report


def test_other_binary_columns_become_labels(tmp_path):
    write_labelled(tmp_path, "image,age,N,D,G", [f"{40 + n},{n % 2},{n // 2 % 2},{n // 4 % 2}" for n in range(9)])
    facts, _ = drafted(tmp_path)
    assert (facts["task"], facts["labels"]["targets"]) == ("multilabel", ["N", "D", "G"])


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("id,boneage,male", lambda n: f"{30 + 7 * n},{n % 2 == 0}", "boneage"),
        ("id,target", lambda n: f"{n / 7:.3f}", "target"),
        ("id,sex,score_label", lambda n: f"{'MF'[n % 2]},{1000 - 3 * n}", "score_label"),
    ],
)
def test_numeric_targets_raise_as_regression(tmp_path, header, row, column):
    write_labelled(tmp_path, header, [row(n) for n in range(30)])
    with pytest.raises(UserError, match=f"column '{column}' has 30 different numbers: regression"):
        draft_facts(tmp_path)


def test_ambiguous_label_column_is_reported(tmp_path):
    write_labelled(tmp_path, "id,smoker,coughs", [f"{n % 2},{n // 2 % 2}" for n in range(8)])
    facts, report = drafted(tmp_path)
    assert facts["labels"]["targets"] == ["smoker"]
    assert "labels.targets: unclear which of smoker, coughs is the label" in report


def test_label_table_without_image_names_raises(tmp_path):
    write_images(tmp_path, "left/{n}.png", "right/{n}.png")
    (tmp_path / "labels.csv").write_text("name,label\n" + "".join(f"scan{n},{n % 2}\n" for n in range(12)))
    with pytest.raises(
        UserError,
        match=r"labels.csv: 12 rows, .* the 12 images: .*name scan0, label 0",
    ):
        draft_facts(tmp_path)
    (tmp_path / "labels.csv").write_text("site,scanner\nA,GE\n")  # a table about something else
    assert drafted(tmp_path)[0]["classes"] == ["left", "right"]


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_labels_in_excel_or_parquet_are_read(tmp_path, ending):
    write_labelled(tmp_path, "id,label", ["01", "02", "03"] * 4)
    table = pd.read_csv(tmp_path / "train.csv", dtype=str)
    (tmp_path / "train.csv").unlink()
    write = {"xlsx": table.to_excel, "parquet": table.to_parquet}[ending]
    write(tmp_path / f"train.{ending}", index=False)
    facts, _ = drafted(tmp_path)
    assert facts["labels"]["file"] == f"train.{ending}"
    assert facts["classes"] == ["01", "02", "03"]


@pytest.mark.parametrize(
    ("shape", "dtype", "channels"), [((9, 8, 8, 1), "int32", 1), ((9, 3, 8, 8), "uint8", 3), ((9, 8, 8, 4), "uint8", 3)]
)
def test_one_hot_arrays_with_any_channel_axis_are_drafted(tmp_path, shape, dtype, channels):
    images, marks = np.zeros(shape, dtype), np.eye(3, dtype=int)[np.arange(9) % 3]
    np.savez(tmp_path / "a.npz", train_images=images, train_labels=marks, test_images=images, test_labels=marks)
    facts, _ = drafted(tmp_path)
    assert (facts["task"], facts["images"]["channels"]) == ("ordinal", channels)
    (tmp_path / "a.npz").write_bytes(b"PK nothing")
    with pytest.raises(UserError, match="a.npz: (damaged|not an array)"):
        draft_facts(tmp_path)


def test_multi_page_tiffs_are_reported(tmp_path):
    write_images(tmp_path, "a/{n}.tif", "b/{n}.tif")
    pages = np.zeros((4, 8, 8), np.uint8)
    tifffile.imwrite(tmp_path / "a" / "0.tif", pages, photometric="minisblack")
    assert "images.frame: files have up to 4 pages" in drafted(tmp_path)[1]
