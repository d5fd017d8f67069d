import numpy as np
import pandas as pd
import pytest

from medfold import samples
from medfold.errors import UserError
from medfold.samples import shapes
from medfold.sources import Source
from tests.helpers import competition, picture


@pytest.fixture
def wide(tmp_path):
    """Three labelled pictures of two patients, two test pictures; and their facts."""
    raw = tmp_path / "raw"
    for name in ("train/a", "train/b", "train/c", "test/d", "test/e"):
        picture(raw / f"{name}.png")
    (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,1.0\nc,p2,M,1\n")
    (raw / "sample.csv").write_text("id,target\ne,0.5\nd,0.5\n")
    labels = {"file": "train.csv", "targets": ["target"], "group": "patient", "keep": ["sex"]}
    return raw, competition(labels=labels, submission={"sample": "sample.csv"})


def test_wide_reads_labels_patients_and_images(wide):
    raw, facts = wide
    train, test, solution = shapes.wide(facts, raw)
    assert train[["id", "image", "patient", "target", "sex"]].to_numpy().tolist() == [
        ["a", "train/a.png", "p1", "0", "F"],
        ["b", "train/b.png", "p1", "1", "F"],
        ["c", "train/c.png", "p2", "1", "M"],
    ]
    assert test["id"].tolist() == ["e", "d"]
    assert solution is None


def test_patterns_may_use_the_files_own_names(wide):
    raw, facts = wide
    text = (raw / "train.csv").read_text()
    (raw / "train.csv").write_text(text.replace("id,patient", "image_id,patient"))
    (raw / "sample.csv").write_text("prediction_id,target\ne,0.5\nd,0.5\n")
    changes = {
        "labels": facts.labels.model_copy(update={"id": "image_id"}),
        "images": facts.images.model_copy(update={"train": ["train/{image_id}.png"], "test": ["test/{image_id}.png"]}),
        "submission": facts.submission.model_copy(update={"id": "prediction_id"}),
    }
    train, test, _ = shapes.wide(facts.model_copy(update=changes), raw)
    assert train["id"].tolist() == ["a", "b", "c"]
    assert test["image"].tolist() == ["test/e.png", "test/d.png"]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda raw: (raw / "train/b.png").unlink(), "1 images are missing: train/b.png"),
        (lambda raw: (raw / "test/e.png").unlink(), "1 images are missing: test/e.png"),
        (lambda raw: (raw / "train.csv").unlink(), "train.csv: no such file"),
        (
            lambda raw: (raw / "train.csv").write_text("id,patient,sex,targets\na,p1,F,0\n"),
            "no column 'target' .did you",
        ),
        (lambda raw: (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,2\n"), "row 3.*found 2"),
        (lambda raw: (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,\n"), "found nothing"),
        (lambda raw: (raw / "train.csv").write_text(""), "not a readable CSV"),
        (lambda raw: (raw / "sample.csv").write_text("image,target\nd,0\n"), "no column 'id'"),
    ],
)
def test_faulty_raw_data_is_one_line(wide, broken, message):
    raw, facts = wide
    broken(raw)
    with pytest.raises(UserError, match=message) as caught:
        shapes.wide(facts, raw)
    assert "\n" not in str(caught.value)


def test_a_pattern_with_an_unknown_column_is_told(wide):
    raw, facts = wide
    images = facts.images.model_copy(update={"train": ["{site}/{id}.png"]})
    with pytest.raises(UserError, match="column 'site'"):
        shapes.wide(facts.model_copy(update={"images": images}), raw)


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
    return raw, competition(
        classes=["NO", "YES"],
        labels={"shape": "folders", "targets": ["sick"], "group_pattern": r"person\d+|IM-\d+"},
        images={"train": "train/{label}/{id}.jpeg", "test": ["test/{label}/{id}.jpeg", "val/{label}/{id}.jpeg"]},
    )


def test_folders_give_label_patient_and_solution(folders):
    raw, facts = folders
    train, test, solution = shapes.folders(facts, raw)
    assert train[["id", "sick", "patient"]].to_numpy().tolist() == [
        ["IM-01-1", "NO", "train IM-01"],
        ["IM-01-2", "NO", "train IM-01"],
        ["person3_a_1", "YES", "train person3"],
    ]
    assert test["patient"].tolist() == ["test IM-01", "test person3"]
    assert "sick" not in test
    assert solution.to_numpy().tolist() == [["IM-01-9", "NO", "Private"], ["person3_b_2", "YES", "Private"]]


def test_a_folder_that_is_no_class_is_named(folders):
    raw, facts = folders
    picture(raw / "train/MAYBE/x.jpeg")
    with pytest.raises(UserError, match="'MAYBE' is no class"):
        shapes.folders(facts, raw)


def test_folders_without_a_match_say_what_is_there(folders):
    raw, facts = folders
    images = facts.images.model_copy(update={"train": ["training/{label}/{id}.jpeg"]})
    with pytest.raises(UserError, match="no train image matches training.*Folders found: test/NO"):
        shapes.folders(facts.model_copy(update={"images": images}), raw)


def arrays_file(path, labels_shape=(-1, 1), drop=None, classes=3):
    rng = np.random.default_rng(0)
    content = {}
    for part, count in (("train", 6), ("val", 3), ("test", 4)):
        content[f"{part}_images"] = rng.integers(0, 256, (count, 8, 8), dtype=np.uint8)
        content[f"{part}_labels"] = (np.arange(count) % classes).astype(np.uint8).reshape(labels_shape)
    content.pop(drop, None)
    path.mkdir(exist_ok=True)
    np.savez(path / "x.npz", **content)


ARRAYS = {"labels": {"shape": "arrays", "file": "x.npz", "targets": ["label"], "train": ["train", "val"]}}


@pytest.mark.parametrize("shape", [(-1, 1), (-1,)])
def test_arrays_join_train_and_val(tmp_path, shape):
    arrays_file(tmp_path / "raw", shape)
    train, test, solution = shapes.arrays(competition("multiclass", **ARRAYS), tmp_path / "raw")
    assert train["id"].tolist()[5:8] == ["train00005", "val00000", "val00001"]
    assert train["image"].iloc[6] == "x.npz#val_images/0"
    assert train["label"].tolist() == ["0", "1", "2", "0", "1", "2", "0", "1", "2"]
    assert "label" not in test
    assert solution["label"].tolist() == ["0", "1", "2", "0"]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"drop": "val_labels"}, "no array 'val_images' or 'val_labels'"),
        ({"labels_shape": (1, -1)}, r"labels of shape \(1, 6\), expected \(6, 1\)"),
        ({"classes": 4}, "found 3, expected one of 0, 1, 2"),
    ],
)
def test_faulty_arrays_are_one_line(tmp_path, made, message):
    arrays_file(tmp_path / "raw", **made)
    with pytest.raises(UserError, match=message):
        shapes.arrays(competition("multiclass", **ARRAYS), tmp_path / "raw")


def test_encode_numbers_classes_and_labels():
    table = pd.DataFrame({"target": ["2", "0"], "a": ["1", "0"], "b": ["0", "0"]})
    assert samples.encode(competition("ordinal"), table).tolist() == [2, 0]
    assert samples.encode(competition("multilabel"), table).tolist() == [[1, 0], [0, 0]]


def test_build_hides_patients_and_notices_change(small):
    Source(small.competition.source, small.paths).get()
    table = samples.build(small.competition, small.paths)
    assert list(table.columns) == ["id", "part", "image", "group", "unit", "target", "age", "sex"]
    assert pd.api.types.is_integer_dtype(table["group"])
    patients = pd.read_csv(small.paths.groups).set_index("group")["patient"]
    raw = pd.read_csv(small.paths.raw / "train.csv").set_index("id")["patient_id"]
    train = table[table["part"] == "train"]
    assert patients.loc[train["group"]].tolist() == raw.loc[train["id"]].tolist()
    assert table["target"].isna().equals(table["part"] == "test")

    assert samples.fresh(small.competition, small.paths)
    small.paths.raw_manifest.write_text(small.paths.raw_manifest.read_text() + "more.png,1\n")
    assert not samples.fresh(small.competition, small.paths)


def test_other_counts_than_expected_are_refused(small):
    Source(small.competition.source, small.paths).get()
    labels = small.competition.labels.model_copy(update={"counts": {"train": 5}})
    with pytest.raises(UserError, match=r"expected 5 train samples, found \d+"):
        samples.build(small.competition.model_copy(update={"labels": labels}), small.paths)


def test_doubled_ids_are_refused(small):
    Source(small.competition.source, small.paths).get()
    table = small.paths.raw / "train.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(UserError, match="1 ids stand twice in the train part"):
        samples.build(small.competition, small.paths)


REPEATED = "id,reader,target\na,1,0\na,2,1\na,3,1\nb,1,1\nb,2,0\nc,1,0\nc,1,0\n"


@pytest.mark.parametrize(
    ("how", "expected"), [("any", ["1", "1", "0"]), ("majority", ["1", "1", "0"]), ("same", None), ("refuse", None)]
)
def test_rows_of_one_id_are_joined_as_competition_yaml_says(wide, how, expected):
    raw, facts = wide
    text = REPEATED if how != "majority" else REPEATED + "c,4,0\n"
    (raw / "train.csv").write_text(text)
    labels = facts.labels.model_copy(update={"repeated": how, "group": None, "keep": ()})
    facts = facts.model_copy(update={"labels": labels})
    if how == "same":
        with pytest.raises(UserError, match="2 ids have rows with different labels: a, b"):
            shapes.wide(facts, raw)
        return
    train = shapes.wide(facts, raw)[0]
    if how == "refuse":
        assert train["id"].duplicated().sum() == 4  # told by build
        return
    assert train["id"].tolist() == ["a", "b", "c"]
    assert train["target"].tolist() == expected


def test_rows_that_agree_count_once(wide):
    raw, facts = wide
    (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\na,p1,M,0\nb,p1,F,1\nc,p2,M,1\n")
    facts = facts.model_copy(update={"labels": facts.labels.model_copy(update={"repeated": "same"})})
    train = shapes.wide(facts, raw)[0]
    assert train[["id", "sex", "target"]].to_numpy().tolist() == [["a", "F", "0"], ["b", "F", "1"], ["c", "M", "1"]]


def test_images_without_a_label_are_left_out_with_a_warning(wide, capsys):
    raw, facts = wide
    picture(raw / "train/x.png")
    assert shapes.wide(facts, raw)[0]["id"].tolist() == ["a", "b", "c"]
    assert "1 images have no label and are left out: train/x.png" in capsys.readouterr().out


@pytest.fixture
def long(tmp_path):
    raw = tmp_path / "raw"
    for name in ("train/ID_1", "train/ID_2", "test/ID_3"):
        picture(raw / f"{name}.png")
    rows = ["ID_1_any_kind,1", "ID_1_kind,0", "ID_2_kind,1", "ID_2_any_kind,1", "ID_2_kind,1"]
    (raw / "train.csv").write_text("\n".join(["ID,Label", *rows, ""]))
    (raw / "sample.csv").write_text("ID,Label\nID_3_kind,0.5\nID_3_any_kind,0.5\n")
    labels = {"shape": "long", "file": "train.csv", "id": "ID", "value": "Label", "targets": ["kind", "any_kind"]}
    submission = {"sample": "sample.csv", "id": "ID", "shape": "long"}
    return raw, competition("multilabel", labels={**labels, "repeated": "same"}, submission=submission)


def test_long_rows_become_columns_and_the_longest_ending_counts(long):
    raw, facts = long
    train, test, _ = shapes.long(facts, raw)
    assert train[["id", "kind", "any_kind"]].to_numpy().tolist() == [["ID_1", "0", "1"], ["ID_2", "1", "1"]]
    assert test["id"].tolist() == ["ID_3"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ID_2_kind,0", "1 ids have rows with different labels: ID_2 kind"),
        ("ID_2_sort,0", "row 7: 'ID_2_sort' is not <id>_<label>"),
        ("ID_2_kind,2", "row 7, column 'Label': found 2"),
        ("ID_4_kind,0", "1 ids have no row for some of the labels: ID_4"),
    ],
)
def test_faulty_long_rows_are_one_line(long, row, message):
    raw, facts = long
    (raw / "train.csv").write_text((raw / "train.csv").read_text() + f"{row}\n")
    with pytest.raises(UserError, match=message):
        shapes.long(facts, raw)


def test_lists_name_the_labels_of_an_image(tmp_path):
    raw = tmp_path / "raw"
    for name in ("train/a", "train/b", "train/c", "test/d"):
        for channel in ("red", "green"):
            picture(raw / f"{name}_{channel}.png")
    (raw / "train.csv").write_text("Id,Target\na,2 0\nb,\nc,1\n")
    (raw / "sample.csv").write_text("Id,Predicted\nd,0\n")
    facts = competition(
        "multilabel",
        labels={"shape": "lists", "file": "train.csv", "id": "Id", "value": "Target", "targets": [0, 1, 2]},
        images={"train": "train/{id}_{channel}.png", "test": "test/{id}_{channel}.png", "channels": ["red", "green"]},
        submission={"sample": "sample.csv", "id": "Id", "shape": "lists"},
    )
    train, *_ = shapes.lists(facts, raw)
    assert train[["0", "1", "2"]].to_numpy().tolist() == [["1", "0", "1"], ["0", "0", "0"], ["0", "1", "0"]]
    assert train["image"].iloc[0] == "train/a_red.png|train/a_green.png"
    (raw / "train" / "b_green.png").unlink()
    with pytest.raises(UserError, match="1 images are missing: train/b_green.png"):
        shapes.lists(facts, raw)
    (raw / "train.csv").write_text("Id,Target\na,2 7\n")
    with pytest.raises(UserError, match="row 2, column 'Target': unknown label '7'"):
        shapes.lists(facts, raw)


def test_private_headers_stay_out_of_the_sample_table(wide, monkeypatch):
    raw, facts = wide
    images = facts.images.model_copy(update={"headers": ["PatientName"]})
    labels = facts.labels.model_copy(update={"keep": ("PatientName",)})
    monkeypatch.setattr(
        "medfold.images.headers.read", lambda raw, images, keywords, complete: {"PatientName": ["x"] * len(images)}
    )
    with pytest.raises(UserError, match="labels.keep: the header PatientName may tell who a patient is"):
        shapes.wide(facts.model_copy(update={"images": images, "labels": labels}), raw)


def test_units_may_not_stand_in_two_groups(small):
    Source(small.competition.source, small.paths).get()
    ids = (small.paths.raw / "sample_submission.csv").read_text().split("\n")[1:-1]
    rows = [f"{line.split(',')[0]},X" for line in ids]
    (small.paths.raw / "test.csv").write_text("\n".join(["id,sex", *rows, ""]))
    score = small.competition.score.model_copy(update={"unit": "{sex}"})
    labels = small.competition.labels.model_copy(update={"test": "test.csv"})
    with pytest.raises(UserError, match="2 units stand in two groups: [FM], [FM]. Change score.unit or labels.group"):
        samples.build(small.competition.model_copy(update={"score": score, "labels": labels}), small.paths)


def test_a_share_is_set_aside_in_whole_groups(small):
    Source(small.competition.source, small.paths).get()
    facts = small.competition.model_copy(
        update={
            "labels": small.competition.labels.model_copy(update={"holdout": 0.25}),
            "images": small.competition.images.model_copy(update={"test": []}),
            "submission": small.competition.submission.model_copy(update={"sample": None}),
        }
    )
    table = samples.build(facts, small.paths)
    parts = table.groupby("group")["part"].nunique()
    assert parts.max() == 1
    share = (table["part"] == "test").mean()
    assert 0.15 < share < 0.35
    solution = pd.read_csv(small.paths.solution, dtype=str)
    assert sorted(solution["id"]) == sorted(table.loc[table["part"] == "test", "id"])
    assert table.loc[table["part"] == "test", "target"].isna().all()
    raw = pd.read_csv(small.paths.raw / "train.csv", dtype=str).set_index("id")["target"]
    assert solution.set_index("id")["target"].equals(raw[solution["id"]])
