"""The sample table: ids, labels, groups, units and images as the raw data says."""

import sys

import pandas as pd
import pytest

from medfold.commands.folds import make_folds
from medfold.data.label_layouts import LAYOUTS
from medfold.data.samples import build_samples, encode_targets, samples_are_fresh, samples_fingerprint
from medfold.data.sources.source import Source
from medfold.errors import UserError
from medfold.raw_files.label_tables import read_table
from tests.support.helpers import competition, picture


@pytest.fixture
def wide(tmp_path):
    """Raw data and facts: three labelled images of two patients, and two test images."""
    raw = tmp_path / "raw"
    for name in ("train/a", "train/b", "train/c", "test/d", "test/e"):
        picture(raw / f"{name}.png")
    (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,1.0\nc,p2,M,1\n")
    (raw / "sample.csv").write_text("id,target\ne,0.5\nd,0.5\n")
    labels = {"file": "train.csv", "targets": ["target"], "group": "patient", "keep": ["sex"]}
    return raw, competition(labels=labels, submission={"sample": "sample.csv"})


def test_wide_reads_labels_patients_and_images(wide):
    raw, facts = wide
    train, test, solution = LAYOUTS["wide"](facts, raw)
    assert train[["id", "image", "patient", "target", "sex"]].to_numpy().tolist() == [
        ["a", "train/a.png", "p1", "0", "F"],
        ["b", "train/b.png", "p1", "1", "F"],
        ["c", "train/c.png", "p2", "1", "M"],
    ]
    assert test["id"].tolist() == ["e", "d"]
    assert solution is None


def test_image_pattern_can_name_columns_of_the_table(wide):
    raw, facts = wide
    text = (raw / "train.csv").read_text()
    (raw / "train.csv").write_text(text.replace("id,patient", "image_id,patient"))
    (raw / "sample.csv").write_text("prediction_id,target\ne,0.5\nd,0.5\n")
    changes = {
        "labels": facts.labels.model_copy(update={"id": "image_id"}),
        "images": facts.images.model_copy(update={"train": ["train/{image_id}.png"], "test": ["test/{image_id}.png"]}),
        "submission": facts.submission.model_copy(update={"id": "prediction_id"}),
    }
    train, test, _ = LAYOUTS["wide"](facts.model_copy(update=changes), raw)
    assert train["id"].tolist() == ["a", "b", "c"]
    assert test["image"].tolist() == ["test/e.png", "test/d.png"]


@pytest.mark.parametrize(
    ("break_raw_data", "message"),
    [
        (lambda raw: (raw / "train/b.png").unlink(), "1 image is missing: train/b.png"),
        (lambda raw: (raw / "test/e.png").unlink(), "1 image is missing: test/e.png"),
        (lambda raw: (raw / "train.csv").unlink(), "train.csv: no such file"),
        (
            lambda raw: (raw / "train.csv").write_text("id,patient,sex,targets\na,p1,F,0\n"),
            "no column 'target' .did you",
        ),
        (lambda raw: (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,2\n"), "row 3.*found 2"),
        (lambda raw: (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\nb,p1,F,\n"), "found nothing"),
        (lambda raw: (raw / "train.csv").write_text(""), "not a readable table"),
        (lambda raw: (raw / "sample.csv").write_text("image,target\nd,0\n"), "no column 'id'"),
    ],
)
def test_faulty_raw_data_raises(wide, break_raw_data, message):
    raw, facts = wide
    break_raw_data(raw)
    with pytest.raises(UserError, match=message) as caught:
        LAYOUTS["wide"](facts, raw)
    assert "\n" not in str(caught.value)


def test_image_pattern_with_unknown_column_raises(wide):
    raw, facts = wide
    images = facts.images.model_copy(update={"train": ["{site}/{id}.png"]})
    with pytest.raises(UserError, match="has the field 'site', but the table has no such column"):
        LAYOUTS["wide"](facts.model_copy(update={"images": images}), raw)


def test_encode_targets_numbers_classes_and_labels():
    table = pd.DataFrame({"target": ["2", "0"], "a": ["1", "0"], "b": ["0", "0"]})
    assert encode_targets(competition("ordinal"), table).tolist() == [2, 0]
    assert encode_targets(competition("multilabel"), table).tolist() == [[1, 0], [0, 0]]


def test_build_samples_hides_patients_and_detects_changes(small):
    Source(small.competition.source, small.paths).get()
    table = build_samples(small.competition, small.paths)
    assert list(table.columns) == ["id", "part", "image", "group", "unit", "target", "age", "sex"]
    assert pd.api.types.is_integer_dtype(table["group"])
    patients = pd.read_csv(small.paths.groups).set_index("group")["patient"]
    raw = pd.read_csv(small.paths.raw / "train.csv").set_index("id")["patient_id"]
    train = table[table["part"] == "train"]
    assert patients.loc[train["group"]].tolist() == raw.loc[train["id"]].tolist()
    assert table["target"].isna().equals(table["part"] == "test")

    assert samples_are_fresh(small.competition, small.paths)
    small.paths.raw_manifest.write_text(small.paths.raw_manifest.read_text() + "more.png,1\n")
    assert not samples_are_fresh(small.competition, small.paths)


def test_unexpected_number_of_samples_is_refused(small):
    Source(small.competition.source, small.paths).get()
    labels = small.competition.labels.model_copy(update={"counts": {"train": 5}})
    with pytest.raises(UserError, match=r"expected 5 train samples, found \d+"):
        build_samples(small.competition.model_copy(update={"labels": labels}), small.paths)


def test_duplicate_ids_are_refused(small):
    Source(small.competition.source, small.paths).get()
    table = small.paths.raw / "train.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(UserError, match="1 id appears more than once in the train part"):
        build_samples(small.competition, small.paths)


REPEATED = "id,reader,target\na,1,0\na,2,1\na,3,1\nb,1,1\nb,2,0\nc,1,0\nc,1,0\n"


@pytest.mark.parametrize(
    ("how", "expected"), [("any", ["1", "1", "0"]), ("majority", ["1", "1", "0"]), ("same", None), ("refuse", None)]
)
def test_repeated_rows_are_joined_as_labels_repeated_says(wide, how, expected):
    raw, facts = wide
    text = REPEATED if how != "majority" else REPEATED + "c,4,0\n"
    (raw / "train.csv").write_text(text)
    labels = facts.labels.model_copy(update={"repeated": how, "group": None, "keep": ()})
    facts = facts.model_copy(update={"labels": labels})
    if how == "same":
        with pytest.raises(UserError, match="2 ids have rows with different labels: a, b"):
            LAYOUTS["wide"](facts, raw)
        return
    train = LAYOUTS["wide"](facts, raw)[0]
    if how == "refuse":
        assert train["id"].duplicated().sum() == 4  # build_samples refuses them
        return
    assert train["id"].tolist() == ["a", "b", "c"]
    assert train["target"].tolist() == expected


def test_repeated_rows_that_agree_are_merged(wide):
    raw, facts = wide
    (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\na,p1,M,0\nb,p1,F,1\nc,p2,M,1\n")
    facts = facts.model_copy(update={"labels": facts.labels.model_copy(update={"repeated": "same"})})
    train = LAYOUTS["wide"](facts, raw)[0]
    assert train[["id", "sex", "target"]].to_numpy().tolist() == [["a", "F", "0"], ["b", "F", "1"], ["c", "M", "1"]]


def test_images_without_label_are_left_out_with_a_warning(wide, capsys):
    raw, facts = wide
    picture(raw / "train/x.png")
    assert LAYOUTS["wide"](facts, raw)[0]["id"].tolist() == ["a", "b", "c"]
    assert "1 image has no label, left out: train/x.png" in capsys.readouterr().out


def test_private_header_in_labels_keep_is_refused(wide, monkeypatch):
    raw, facts = wide
    images = facts.images.model_copy(update={"headers": ["PatientName"]})
    labels = facts.labels.model_copy(update={"keep": ("PatientName",)})
    monkeypatch.setattr(
        "medfold.data.label_layouts.image_columns.read_headers",
        lambda raw, images, keywords, complete: {"PatientName": ["x"] * len(images)},
    )
    with pytest.raises(UserError, match="labels.keep: the header PatientName may identify a patient"):
        LAYOUTS["wide"](facts.model_copy(update={"images": images, "labels": labels}), raw)


def test_unit_in_two_groups_is_refused(small):
    Source(small.competition.source, small.paths).get()
    ids = (small.paths.raw / "sample_submission.csv").read_text().split("\n")[1:-1]
    rows = [f"{line.split(',')[0]},X" for line in ids]
    (small.paths.raw / "test.csv").write_text("\n".join(["id,sex", *rows, ""]))
    score = small.competition.score.model_copy(update={"unit": "{sex}"})
    labels = small.competition.labels.model_copy(update={"test": "test.csv"})
    with pytest.raises(UserError, match="2 units are in two groups: [FM], [FM]. Change score.unit or labels.group"):
        build_samples(small.competition.model_copy(update={"score": score, "labels": labels}), small.paths)


def other_labels(wide, table: str, **labels):
    raw, facts = wide
    (raw / "train.csv").write_text(table)
    return raw, facts.model_copy(update={"labels": facts.labels.model_copy(update=labels)})


def test_table_columns_can_be_called_id_and_image(wide):
    raw, facts = other_labels(wide, "id,image,target\n9,a,0\n9,b,0\n8,c,1\n", id="image", group="id", keep=())
    train, _, _ = LAYOUTS["wide"](facts, raw)
    assert train[["id", "patient", "image"]].to_numpy().tolist() == [
        ["a", "9", "train/a.png"],
        ["b", "9", "train/b.png"],
        ["c", "8", "train/c.png"],
    ]


@pytest.mark.parametrize("name", ["group", "id", "image", "fold", "part", "unit"])
def test_target_with_reserved_name_is_refused(name):
    with pytest.raises(ValueError, match=f"'labels.targets' has '{name}', which is reserved for medfold's own tables"):
        competition(labels={"targets": [name]})


@pytest.mark.parametrize(
    ("pattern", "ids", "expected"),
    [
        (r"(P\d+)_\d+", ["P1_1", "P1_2", "P2_1"], ["P1", "P1", "P2"]),
        (r"(?P<group>P\d+)_\d+", ["P1_1", "P1_2", "P2_1"], ["P1", "P1", "P2"]),
        (r"(X)?P\d+", ["P1_1", "P1_2", "P2_1"], ["P1", "P1", "P2"]),
        (r"P\d+", ["P1_1", "P1_2", "P2_1"], ["P1", "P1", "P2"]),
        (r"(\w)_(?P<group>\d)", ["a_1", "b_1", "a_2"], ["1", "1", "2"]),
    ],
)
def test_group_is_what_the_group_pattern_captures(wide, pattern, ids, expected):
    raw, facts = wide
    for id in ids:
        picture(raw / f"train/{id}.png")
    table = "id,target\n" + "".join(f"{id},0\n" for id in ids)
    raw, facts = other_labels((raw, facts), table, group=None, group_pattern=pattern, keep=())
    assert LAYOUTS["wide"](facts, raw)[0]["patient"].tolist() == expected


def test_group_pattern_warns_if_ids_do_not_match_or_join(wide, capsys):
    raw, facts = wide
    ids = [f"x{number:02}" for number in range(30)]
    for id in ids:
        picture(raw / f"train/{id}.png")
    table = "id,target\n" + "".join(f"{id},0\n" for id in ids)
    _, rare = other_labels((raw, facts), table, group=None, group_pattern=r"x0(\d)", keep=())
    LAYOUTS["wide"](rare, raw)
    assert "labels.group_pattern does not match 20 of 30 ids" in capsys.readouterr().out
    _, single = other_labels((raw, facts), table, group=None, group_pattern=r"x\d+", keep=())
    LAYOUTS["wide"](single, raw)
    assert "labels.group_pattern joins nothing: 30 ids, as many groups" in capsys.readouterr().out


def test_image_pattern_pads_numbers_and_allows_spaces(wide):
    raw, facts = wide
    for number in (1, 20):
        picture(raw / f"scans/S 1/{number:05d}.png")
    raw, facts = other_labels(wide, "id,The site,target\n1,S 1,0\n20.0,S 1,1\n", group=None, keep=())
    for pattern in ("scans/{The site}/{id:05d}.png",):
        images = facts.images.model_copy(update={"train": [pattern]})
        train, _, _ = LAYOUTS["wide"](facts.model_copy(update={"images": images}), raw)
        assert train["image"].tolist() == ["scans/S 1/00001.png", "scans/S 1/00020.png"]


@pytest.mark.parametrize("id", ["b ", "B", "b.0", "b.png"])
def test_missing_image_error_shows_a_similar_file(wide, id):
    raw, facts = other_labels(wide, f"id,target\na,0\n{id},0\nc,1\n", group=None, keep=())
    with pytest.raises(UserError, match=r"1 image is missing.*There is 'train/b.png', not 'train/.*check spaces, case"):
        LAYOUTS["wide"](facts, raw)


def test_missing_images_within_the_tolerance_are_kept(wide, capsys):
    raw, facts = other_labels(wide, "id,target\na,0\nb,0\nc,1\ngone,1\n", group=None, keep=())
    images = facts.images.model_copy(update={"tolerate": 0.3})
    train, _, _ = LAYOUTS["wide"](facts.model_copy(update={"images": images}), raw)
    assert train["image"].tolist()[-1] == "train/gone.png"
    assert "1 image is missing, no more than images.tolerate allows: train/gone.png" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": {"train": "train/{id.png", "channels": 1, "test": "t/{id}.png"}}, "not a pattern"),
        (
            {"images": {"train": "train/{}.png", "channels": 1, "test": "t/{id}.png"}},
            "has an empty field {}; write the name of a column in it",
        ),
        ({"labels": {"targets": ["target"], "group_pattern": "("}}, "not a regular expression"),
    ],
)
def test_invalid_patterns_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        competition(**change)


@pytest.mark.parametrize(("ending", "package"), [("xlsx", "openpyxl"), ("parquet", "pyarrow")])
def test_excel_and_parquet_are_read_as_text(tmp_path, ending, package, monkeypatch):
    file = tmp_path / f"labels.{ending}"
    table = pd.DataFrame({"id": ["007", "NA"], " count ": [1, 2], "empty": [None, "x"]})
    (table.to_excel if ending == "xlsx" else table.to_parquet)(file, index=False)
    read = read_table(file, {"id": "labels.id", "count": "labels.targets"})
    assert read.to_numpy().tolist() == [["007", "1", ""], ["NA", "2", "x"]]
    assert read.columns.tolist() == ["id", "count", "empty"]
    with pytest.raises(UserError, match="no column 'idd' .did you mean 'id'"):
        read_table(file, {"idd": "labels.id"})
    with pytest.raises(UserError, match="no such file"):
        read_table(file.with_name(f"none.{ending}"), {})
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"id,label"):
        file.write_bytes(damaged)
        with pytest.raises(UserError, match="not a readable table .*Download it again, or correct the extension"):
            read_table(file, {})
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        UserError, match=f"reading the table needs the package {package}. Install it .* save the table as CSV"
    ):
        read_table(file, {})


def test_sample_table_with_damaged_metadata_is_rebuilt(small):
    Source(small.competition.source, small.paths).get()
    table = build_samples(small.competition, small.paths)
    assert samples_are_fresh(small.competition, small.paths)
    small.paths.samples_metadata.write_text("{")
    assert not samples_are_fresh(small.competition, small.paths)
    assert make_folds(small).train["id"].isin(table["id"]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,id\na,b\n", "two columns are called 'id'"),
        ("id,label\na,b,c,d,e\n", "row 2 has more columns than the header, 'id,label'"),
        ("id,label\na,b\nc,d,,\n", None),
    ],
)
def test_columns_beyond_the_header_are_refused_unless_empty(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    if message is None:
        assert read_table(tmp_path / "a.csv", {}).to_numpy().tolist() == [["a", "b"], ["c", "d"]]
    else:
        with pytest.raises(UserError, match=message):
            read_table(tmp_path / "a.csv", {})


def test_label_lists_can_have_another_separator(wide):
    raw, facts = other_labels(
        wide,
        "id,found\na,No Finding\nb,Mass|Pleural fluid\nc,\n",
        group=None,
        keep=(),
        layout="lists",
        value="found",
        separator="|",
        targets=["Mass", "No Finding", "Pleural fluid"],
    )
    facts = facts.model_copy(update={"task": "multilabel"})
    train, _, _ = LAYOUTS["lists"](facts, raw)
    assert train[facts.labels.targets].to_numpy().tolist() == [["0", "1", "0"], ["1", "0", "1"], ["0", "0", "0"]]


def test_the_fingerprint_of_earlier_versions_is_kept(small):
    """A sample table that was written when labels.layout was called labels.shape is still fresh."""
    layout = {"labels": {"layout": "lists", "file": "a.csv", "value": "v", "targets": ["a", "b"]}}
    submission = {"submission": {"sample": "s.csv", "layout": "lists"}}
    facts = competition("multilabel", **layout, **submission, score={"metric": "macro_f1"})
    small.paths.raw_manifest.parent.mkdir(parents=True)
    small.paths.raw_manifest.write_text("file,bytes,sha256\n")
    assert samples_fingerprint(facts, small.paths) == "346eb47d4e398c34"
