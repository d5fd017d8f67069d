"""Facts that make new drafts for the layouts of public data sets, in small; and the doubts it reports."""

import zlib

import numpy as np
import pytest

from medfold.errors import UserError
from medfold.scaffold.drafting import draft_facts
from tests.support import dicom_files
from tests.support.helpers import picture


def pictures(root, *names, count=12):
    """Writes `count` images for each name, with a number for `{n}`."""
    for name in names:
        for number in range(count):
            path = name.format(n=f"{number:03}")
            picture(root / path, seed=zlib.crc32(path.encode()))


def table(root, name, *rows):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join(rows) + "\n")


def facts_and_doubts(root):
    found = draft_facts(root)
    return found.facts, "\n".join(found.doubts)


def test_binary_columns_are_all_targets_not_only_the_likeliest(tmp_path):
    pictures(tmp_path, "train/a{n}.png")
    rows = [f"a{n:03},{n % 2},{int(n % 3 == 0)},{int(n % 4 == 0)}" for n in range(12)]
    table(tmp_path, "train.csv", "image,Mass,Lung tumor,No finding", *rows)
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["Mass", "Lung tumor", "No finding"]


def test_table_with_labels_is_preferred_to_lesion_table(tmp_path):
    pictures(tmp_path, "images/a{n}.png")
    table(tmp_path, "GroundTruth.csv", "image,melanoma", *(f"a{n:03},{n % 2}" for n in range(12)))
    table(tmp_path, "Meta.csv", "image,lesion_id", *(f"a{n:03},L{n // 2}" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["labels"]["file"], facts["labels"]["targets"]) == ("GroundTruth.csv", ["melanoma"])
    assert "Meta.csv has names of images, too: not used" in said


@pytest.mark.parametrize("column", ["scanner", "patient_id"])
def test_class_folders_are_preferred_to_table_without_labels(tmp_path, column):
    pictures(tmp_path, "benign/b{n}.png", "malignant/m{n}.png")
    rows = [f"{letter}{n:03},{'AB'[n % 2] if column == 'scanner' else n // 2}" for letter in "bm" for n in range(12)]
    table(tmp_path, "metadata.csv", f"image,{column}", *rows)
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["labels"]["layout"], facts["classes"]) == ("folders", ["benign", "malignant"])
    assert "metadata.csv: not used, since folders name the classes" in said


def test_label_table_is_preferred_to_site_folders(tmp_path):
    pictures(tmp_path, "site_A/a{n}.png", "site_B/b{n}.png")
    table(tmp_path, "table.csv", "image,covid", *(f"{s}{n:03},{n % 2}" for s in "ab" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["labels"]["file"], facts["labels"]["targets"]) == ("table.csv", ["covid"])


def test_folders_named_in_a_column_are_groups_not_classes(tmp_path):
    for study in range(6):
        pictures(tmp_path, f"images/s{study}/i{study}{{n}}.png", count=4)
    rows = [f"s{study},i{study}{n:03},{study % 3}" for study in range(6) for n in range(4)]
    table(tmp_path, "annotations.csv", "study_id,image_id,breast_birads", *rows)
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["breast_birads"]
    assert facts["labels"]["group"] == "study_id"


def test_labels_of_patients_instead_of_images_are_refused(tmp_path):
    for patient in range(8):
        pictures(tmp_path, f"train/{patient:05}/FLAIR/Image-{{n}}.png", count=4)
    table(tmp_path, "train_labels.csv", "id,value", *(f"{patient:05},{patient % 2}" for patient in range(8)))
    with pytest.raises(UserError, match="train_labels.csv: column 'id' has names of image folders, not of images"):
        draft_facts(tmp_path)


def test_list_of_class_folders_is_not_a_label_table(tmp_path):
    names = ("adenoma", "cyst", "normal", "stone", "tumor", "ulcer", "wart")
    pictures(tmp_path, *(f"{name}/{name}{{n}}.png" for name in names), count=3)
    table(tmp_path, "classes.csv", "name,number", *(f"{name},{number}" for number, name in enumerate(names)))
    assert facts_and_doubts(tmp_path)[0]["classes"] == list(names)


def test_test_images_without_a_table_are_the_test_part(tmp_path):
    pictures(tmp_path, "train/a{n}.png", "test/t{n}.png")
    table(tmp_path, "train_labels.csv", "id,label", *(f"a{n:03},{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["images"]["test"] == "test/{id}.png"
    assert "holdout" not in facts["labels"]


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


def test_part_column_is_never_a_target(tmp_path):
    pictures(tmp_path, "images/a{n}.png")
    rows = [f"a{n:03},{['train', 'test'][n > 8]},{n % 3}" for n in range(12)]
    table(tmp_path, "labels.csv", "image,split,stage", *rows)
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["stage"]
    assert (facts["labels"]["part"], facts["images"]) == ("split", {"train": "images/{id}.png", "channels": 1})
    table(tmp_path, "sample_submission.csv", "image,stage", *(f"a{n:03},0" for n in range(9, 12)))
    facts, said = facts_and_doubts(tmp_path)
    assert "part" not in facts["labels"]
    assert "labels.part: column 'split' has names of parts, and is not used" in said


def test_unlabelled_rows_are_dropped_and_case_is_ignored(tmp_path):
    pictures(tmp_path, "images/a{n}.png")
    words = ["Yes", "no", "YES", "", "no", "Yes"]
    table(tmp_path, "labels.csv", "image,label", *(f"a{n:03},{words[n % 6]}" for n in range(12)))
    found = draft_facts(tmp_path)
    assert (found.facts["classes"], found.facts["labels"]["map"]) == (["no", "Yes"], {"": None})
    reasons = {key: why for key, _, why in found.reasons[::-1]}
    assert reasons["labels.map"] == "2 of 12 rows have no label: they are left out"
    assert reasons["classes"] == "YES differ from them by case only: the same classes"


def test_empty_and_minus_one_cells_are_mapped_and_reported(tmp_path):
    pictures(tmp_path, "train/a{n}.png")
    rows = [f"a{n:03},{['', '1.0', '-1.0'][n % 3]},{['0.0', ''][n % 2]},{n % 2}.0" for n in range(12)]
    table(tmp_path, "train.csv", "image,Edema,Mass,Fracture", *[row.replace(",0.0,", ",1.0,", 2) for row in rows])
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["task"], facts["labels"]["targets"]) == ("multilabel", ["Edema", "Mass", "Fracture"])
    assert facts["labels"]["map"] == {"": "0", "-1": "1"}
    assert "10 empty cells are read as 0 and 4 cells of -1 (uncertain?) are read as 1; use null to leave" in said


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [((-1, 1), "binary", ["-1", "1"]), ((1, 2, 3, 4), "ordinal", ["1", "2", "3", "4"])],
    ids=["signs", "grades from 1"],
)
def test_numeric_classes_are_in_order(tmp_path, values, task, classes):
    pictures(tmp_path, "a{n}.png")
    table(tmp_path, "labels.csv", "image,label", *(f"a{n:03},{values[n % len(values)]}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["task"], facts["classes"]) == (task, classes)


@pytest.mark.parametrize("end", [".png", ""], ids=["names", "stems"])
def test_table_without_header_is_refused(tmp_path, end):
    pictures(tmp_path, "a{n}.png")
    table(tmp_path, "labels.csv", *(f"a{n:03}{end},{n % 2}" for n in range(12)))
    with pytest.raises(
        UserError,
        match=f"header is missing.*a000{end}, 0.* such as: image,label",
    ):
        draft_facts(tmp_path)


def test_folders_within_image_sets_are_the_classes(tmp_path):
    inner = ("colon_image_sets/colon_aca", "colon_image_sets/colon_n", "lung_image_sets/lung_n", "lung_image_sets/scc")
    pictures(tmp_path, *(f"{folder}/{folder[-3:]}{{n}}.jpeg" for folder in inner))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["classes"] == ["colon_aca", "colon_n", "lung_n", "scc"]


@pytest.mark.parametrize("end", ["", ".dicom"])
@pytest.mark.parametrize("how", ["table", "folders"])
def test_patient_ids_of_dicom_headers_are_the_groups(tmp_path, how, end):
    rows = ["image,label"]
    for number in range(12):
        made = dicom_files.dataset(dicom_files.smooth((16, 16), seed=number), PatientID=f"P{number // 3}")
        folder = "scans" if how == "table" else ("normal", "sick")[number // 3 % 2]
        (tmp_path / folder).mkdir(exist_ok=True)
        dicom_files.save(tmp_path / folder / f"1.2.840.{number}{end}", made)
        rows.append(f"1.2.840.{number},{number // 3 % 2}")
    if how == "table":
        table(tmp_path, "labels.csv", *rows)
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["labels"]["group"], facts["images"]["headers"]) == ("PatientID", ["PatientID"])
    assert facts["images"]["train"] == ("scans/{id}" if how == "table" else "{label}/{id}") + end


@pytest.mark.parametrize("column", ["idx", "id", "row_id", "number"])
def test_row_numbers_are_not_ids_beside_file_names(tmp_path, column):
    pictures(tmp_path, "images/{n}.png")
    names = [f"{number:03}.png" for number in reversed(range(12))]
    table(tmp_path, "labels.csv", f"{column},file,label", *(f"{n:03},{names[n]},{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["id"] == "file"


@pytest.mark.parametrize(
    ("paths", "exclude"),
    [
        (
            ("images/benign/b{n}.png", "images/normal/n{n}.png", "masks/benign/b{n}.png", "masks/normal/n{n}.png"),
            "masks/*",
        ),
        (
            ("benign/b{n}_image.png", "benign/b{n}_mask.png", "normal/n{n}_image.png", "normal/n{n}_mask.png"),
            "*_mask.*",
        ),
        (("benign/b{n}.png", "benign/mask_b{n}.png", "normal/n{n}.png", "normal/mask_n{n}.png"), "*/mask_*"),
    ],
    ids=["folders above", "two endings", "in front"],
)
def test_masks_are_excluded_however_they_are_named(tmp_path, paths, exclude):
    pictures(tmp_path, *paths)
    facts, _ = facts_and_doubts(tmp_path)
    assert exclude in facts["images"]["exclude"]
    assert facts["classes"] == ["benign", "normal"]


@pytest.mark.parametrize(
    ("paths", "train", "test"),
    [
        (("{c}/train/{c}{n}.png", "{c}/test/{c}t{n}.png"), "{label}/train/{id}.png", "{label}/test/{id}.png"),
        (
            ("traindata/{c}/{c}{n}.png", "testdata/{c}/{c}t{n}.png"),
            "traindata/{label}/{id}.png",
            "testdata/{label}/{id}.png",
        ),
        (("train/{c}/{c}{n}.png", "eval/{c}/{c}t{n}.png"), "train/{label}/{id}.png", "eval/{label}/{id}.png"),
    ],
    ids=["within classes", "compounds", "evaluation"],
)
def test_folders_of_parts_are_found_by_several_words(tmp_path, paths, train, test):
    pictures(tmp_path, *(path.replace("{c}", label) for path in paths for label in ("benign", "normal")))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["images"]["train"], facts["images"]["test"]) == (train, test)
    assert facts["classes"] == ["benign", "normal"]


def test_two_word_values_are_classes_and_eyes_are_not_channels(tmp_path):
    pictures(tmp_path, "images/{n}_left.png", "images/{n}_right.png")
    views = ("left CC", "left MLO", "left LM", "right CC", "right MLO", "right LM")
    table(tmp_path, "labels.csv", "image,view_class", *(f"{n:03}_left,{views[n % 6]}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["task"], facts["classes"]) == ("multiclass", sorted(views))
    table(tmp_path, "labels.csv", "patient,label", *(f"{n:03},{n % 2}" for n in range(12)))
    with pytest.raises(UserError, match="no column has the names of the 24 images"):
        draft_facts(tmp_path)


def test_column_of_few_patients_is_a_group_or_a_doubt(tmp_path):
    pictures(tmp_path, "images/{n}.png", count=40)
    table(tmp_path, "labels.csv", "image,patient,label", *(f"{n:03},p{n % 4},{n % 2}" for n in range(40)))
    assert facts_and_doubts(tmp_path)[0]["labels"]["group"] == "patient"
    table(tmp_path, "labels.csv", "image,patient,label", *(f"{n:03},p{n % 2},{n // 2 % 2}" for n in range(40)))
    facts, said = facts_and_doubts(tmp_path)
    assert "group" not in facts["labels"]
    assert "column 'patient' has 2 values in 40 rows: unclear whether they are patients" in said


def test_patient_folders_in_paths_give_a_group_pattern(tmp_path):
    pictures(tmp_path, *(f"train/patient{p:05}/study1/view{{n}}.jpg" for p in range(6)), count=3)
    rows = [f"CheX/train/patient{p:05}/study1/view{n:03}.jpg,{p % 2}" for p in range(6) for n in range(3)]
    table(tmp_path, "train.csv", "Path,Edema", *rows)
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["group_pattern"] == r"(?:.*/)?(?P<group>patient\d+)/"


def test_unused_part_columns_and_files_are_reported(tmp_path):
    pictures(tmp_path, "images/{n}.png")
    table(tmp_path, "labels.csv", "image,is_test,fold,label", *(f"{n:03},{n // 9},{n % 5},{n % 2}" for n in range(12)))
    (tmp_path / "images" / "a.xcf").write_bytes(b"gimp xcf")
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["label"]
    assert "labels.part: column 'is_test' names parts or folds, and is not used" in said
    assert "labels.part: column 'fold' names parts or folds" in said
    assert "1 file in images with the extension .xcf: not a known image format; not used" in said


def test_several_frames_in_array_files_are_reported(tmp_path):
    for number in range(6):
        path = tmp_path / ("a", "b")[number % 2] / f"{number}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, np.random.default_rng(number).integers(0, 255, (5, 20, 20), np.uint8))
    assert "images.frame: files have 5 pages or frames, and the first is used" in facts_and_doubts(tmp_path)[1]


def test_unicode_normal_forms_of_a_folder_are_one_class(tmp_path):
    pictures(tmp_path, "sp\u00e4t/a{n}.png", "spa\u0308t/b{n}.png", "normal/c{n}.png")
    assert facts_and_doubts(tmp_path)[0]["classes"] == ["normal", "sp\u00e4t"]


def test_name_list_and_test_table_are_not_label_tables(tmp_path):
    pictures(tmp_path, "train/a{n}.png", "test/t{n}.png")
    table(tmp_path, "train/labels.csv", "image,label", *(f"a{n:03}.png,{n % 2}" for n in range(12)))
    table(tmp_path, "test/labels.csv", "image,label", *(f"t{n:03}.png,{n % 2}" for n in range(12)))
    table(tmp_path, "train_list.txt", "name", *(f"a{n:03}.png" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["labels"]["file"], facts["labels"]["test"]) == ("train/labels.csv", "test/labels.csv")
    assert (facts["images"]["train"], facts["images"]["test"]) == ("train/{id}", "test/{id}")


def test_latest_in_a_file_name_is_not_test(tmp_path):
    pictures(tmp_path, "site_A/a{n}.png")
    table(tmp_path, "labels_latest.csv", "image,diagnosis", *(f"a{n:03},{'xyz'[n % 3]}" for n in range(12)))
    assert facts_and_doubts(tmp_path)[0]["labels"]["file"] == "labels_latest.csv"


@pytest.mark.parametrize("front", ["Chex/", "/content/drive/", "C:\\data\\"])
def test_paths_in_a_table_are_matched_by_their_end(tmp_path, front):
    pictures(tmp_path, "view/p{n}.png")
    end = "view\\" if "\\" in front else "view/"
    table(tmp_path, "train.csv", "Path,Edema", *(f"{front}{end}p{n:03}.png,{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["id"] == "Path"
    assert facts["images"]["train"] == "{id}"


@pytest.mark.parametrize(
    ("outer", "inner", "classes"),
    [
        (("Original Images", "Augmented Images"), ("Measles", "Monkeypox"), ["Measles", "Monkeypox"]),
        (("40X", "100X", "200X"), ("benign", "malignant"), ["benign", "malignant"]),
        (("fold1", "fold2"), ("cat", "dog"), ["cat", "dog"]),
        (("benign", "malignant"), ("40X", "100X"), ["benign", "malignant"]),
        (tuple(f"{n}" for n in range(10253, 10261)), ("0", "1"), ["0", "1"]),
    ],
)
def test_class_folders_are_found_among_two_levels(tmp_path, outer, inner, classes):
    pictures(tmp_path, *(f"{a}/{b}/{a[:3]}{b}{{n}}.png" for a in outer for b in inner), count=3)
    facts, said = facts_and_doubts(tmp_path)
    assert sorted(facts["classes"]) == classes
    assert "classes: folders at another level could be classes, too" in said


def test_class_folders_named_like_masks_are_not_excluded(tmp_path):
    pictures(tmp_path, *(f"train/{name}/{{n}}.png" for name in ("band", "lymphocyte", "monocyte", "segmented")))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["classes"] == ["band", "lymphocyte", "monocyte", "segmented"]
    pictures(tmp_path / "two", "label_0/{n}.png", "label_1/{n}.png")
    assert facts_and_doubts(tmp_path / "two")[0]["classes"] == ["label_0", "label_1"]


def test_many_folders_of_few_images_are_a_doubt(tmp_path):
    pictures(tmp_path, *(f"uid{number}/{{n}}.png" for number in range(9)), count=2)
    assert "9 folders with few images each: are they classes, or patients?" in facts_and_doubts(tmp_path)[1]


CLASSES = "xyz"


@pytest.mark.parametrize(
    ("header", "row", "target"),
    [
        (
            "img_id,patient_id,skin_cancer_history,diagnostic",
            lambda n: f"a{n:03},P{n // 2},{n % 2},{CLASSES[n % 3]}",
            "diagnostic",
        ),
        ("image_id,dx,dx_type", lambda n: f"a{n:03},{CLASSES[n % 3]},{n % 2}", "dx"),
        (
            "Image name,Retinopathy grade,Risk of macular edema,,,",
            lambda n: f"a{n:03},{n % 5},{n % 3},,,",
            "Retinopathy grade",
        ),
        ("image,diagnosis,patient_smoker", lambda n: f"a{n:03},{CLASSES[n % 3]},{n % 2}", "diagnosis"),
    ],
)
def test_target_is_the_column_with_a_diagnosis_name(tmp_path, header, row, target):
    pictures(tmp_path, "images/a{n}.png", count=40)
    table(tmp_path, "labels.csv", header, *(row(n) for n in range(40)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == [target]
    assert facts["labels"].get("group") in (None, "patient_id")


def test_ids_that_name_several_images_are_refused(tmp_path):
    pictures(tmp_path, "site_a/{n}.png", "site_b/{n}.png")
    rows = [f"{'AB'[site]},{n:03}.png,{n % 2}" for site in range(2) for n in range(12)]
    table(tmp_path, "labels.csv", "hospital,file,label", *rows)
    with pytest.raises(UserError, match="'000.png' is in 2 rows and names 2 images: site_a/000.png, site_b/000.png"):
        draft_facts(tmp_path)


def test_validation_table_is_the_test_table_if_there_is_none(tmp_path):
    pictures(tmp_path, "train/a{n}.png", "valid/b{n}.png", "test/c{n}.png")
    for part, letter in (("train", "a"), ("valid", "b")):
        table(tmp_path, f"{part}.csv", "image,label", *(f"{letter}{n:03},{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert (facts["labels"]["file"], facts["labels"]["test"]) == ("train.csv", "valid.csv")
    assert (facts["images"]["train"], facts["images"]["test"]) == ("train/{id}.png", "valid/{id}.png")
    table(tmp_path, "test.csv", "image", *(f"c{n:03}" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["test"] == "test.csv"
    assert "valid.csv has names of images, too: not used; add its rows to train on them" in said


def test_few_colour_images_among_grey_ones_are_found(tmp_path):
    for number in range(160):
        shape = (12, 10, 3) if 40 <= number < 45 else (12, 10)
        picture(tmp_path / "images" / f"{number:03}.png", seed=number, shape=shape)
    table(tmp_path, "labels.csv", "image,label", *(f"{n:03},{n % 2}" for n in range(160)))
    facts, said = facts_and_doubts(tmp_path)
    assert facts["images"]["channels"] == 3
    assert "155 of the 160 images examined are grey" in said


def test_sample_submission_names_test_images_or_is_reported(tmp_path):
    pictures(tmp_path, "train/benign/a{n}.png", "train/normal/b{n}.png", "test/c{n}.png", "other/d{n}.png")
    table(tmp_path, "sample_submission.csv", "image,label", *(f"c{n:03},0.5" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["submission"], facts["upload"]) == ({"sample": "sample_submission.csv", "id": "image"}, "csv")
    assert "images.train: 12 of 48 images are not used: other/*.png" in said
    table(tmp_path, "sample_submission.csv", "image,label", *(f"x{n:03},0.5" for n in range(12)))
    facts, said = facts_and_doubts(tmp_path)
    assert "submission" not in facts
    assert "submission.sample: ids of sample_submission.csv are not names of test images" in said
