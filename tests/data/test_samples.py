import sys

import pandas as pd
import pytest

from medfold.commands.folds import make_folds
from medfold.data import label_layouts
from medfold.data.label_tables import read_table
from medfold.data.samples import build_samples, encode_targets, samples_are_fresh
from medfold.data.sources.source import Source
from medfold.errors import UserError
from tests.support.helpers import competition, picture


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
    train, test, solution = label_layouts.wide(facts, raw)
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
    train, test, _ = label_layouts.wide(facts.model_copy(update=changes), raw)
    assert train["id"].tolist() == ["a", "b", "c"]
    assert test["image"].tolist() == ["test/e.png", "test/d.png"]


@pytest.mark.parametrize(
    ("broken", "message"),
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
def test_faulty_raw_data_is_one_line(wide, broken, message):
    raw, facts = wide
    broken(raw)
    with pytest.raises(UserError, match=message) as caught:
        label_layouts.wide(facts, raw)
    assert "\n" not in str(caught.value)


def test_a_pattern_with_an_unknown_column_is_told(wide):
    raw, facts = wide
    images = facts.images.model_copy(update={"train": ["{site}/{id}.png"]})
    with pytest.raises(UserError, match="has the field 'site', but the table has no such column"):
        label_layouts.wide(facts.model_copy(update={"images": images}), raw)


def test_encode_numbers_classes_and_labels():
    table = pd.DataFrame({"target": ["2", "0"], "a": ["1", "0"], "b": ["0", "0"]})
    assert encode_targets(competition("ordinal"), table).tolist() == [2, 0]
    assert encode_targets(competition("multilabel"), table).tolist() == [[1, 0], [0, 0]]


def test_build_hides_patients_and_notices_change(small):
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


def test_other_counts_than_expected_are_refused(small):
    Source(small.competition.source, small.paths).get()
    labels = small.competition.labels.model_copy(update={"counts": {"train": 5}})
    with pytest.raises(UserError, match=r"expected 5 train samples, found \d+"):
        build_samples(small.competition.model_copy(update={"labels": labels}), small.paths)


def test_doubled_ids_are_refused(small):
    Source(small.competition.source, small.paths).get()
    table = small.paths.raw / "train.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(UserError, match="1 id appears twice in the train part"):
        build_samples(small.competition, small.paths)


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
            label_layouts.wide(facts, raw)
        return
    train = label_layouts.wide(facts, raw)[0]
    if how == "refuse":
        assert train["id"].duplicated().sum() == 4  # told by build
        return
    assert train["id"].tolist() == ["a", "b", "c"]
    assert train["target"].tolist() == expected


def test_rows_that_agree_count_once(wide):
    raw, facts = wide
    (raw / "train.csv").write_text("id,patient,sex,target\na,p1,F,0\na,p1,M,0\nb,p1,F,1\nc,p2,M,1\n")
    facts = facts.model_copy(update={"labels": facts.labels.model_copy(update={"repeated": "same"})})
    train = label_layouts.wide(facts, raw)[0]
    assert train[["id", "sex", "target"]].to_numpy().tolist() == [["a", "F", "0"], ["b", "F", "1"], ["c", "M", "1"]]


def test_images_without_a_label_are_left_out_with_a_warning(wide, capsys):
    raw, facts = wide
    picture(raw / "train/x.png")
    assert label_layouts.wide(facts, raw)[0]["id"].tolist() == ["a", "b", "c"]
    assert "1 image has no label, left out: train/x.png" in capsys.readouterr().out


def test_private_headers_stay_out_of_the_sample_table(wide, monkeypatch):
    raw, facts = wide
    images = facts.images.model_copy(update={"headers": ["PatientName"]})
    labels = facts.labels.model_copy(update={"keep": ("PatientName",)})
    monkeypatch.setattr(
        "medfold.data.label_layouts.read_headers",
        lambda raw, images, keywords, complete: {"PatientName": ["x"] * len(images)},
    )
    with pytest.raises(UserError, match="labels.keep: the header PatientName may identify a patient"):
        label_layouts.wide(facts.model_copy(update={"images": images, "labels": labels}), raw)


def test_units_may_not_stand_in_two_groups(small):
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


def test_columns_of_the_table_and_the_kits_own_do_not_mix(wide):
    raw, facts = other_labels(wide, "id,image,target\n9,a,0\n9,b,0\n8,c,1\n", id="image", group="id", keep=())
    train, _, _ = label_layouts.wide(facts, raw)
    assert train[["id", "patient", "image"]].to_numpy().tolist() == [
        ["a", "9", "train/a.png"],
        ["b", "9", "train/b.png"],
        ["c", "8", "train/c.png"],
    ]


@pytest.mark.parametrize("name", ["group", "id", "image", "fold", "part", "unit"])
def test_a_target_with_a_name_of_the_kits_own_is_refused_by_name(name):
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
def test_a_group_is_what_the_pattern_captures(wide, pattern, ids, expected):
    raw, facts = wide
    for id in ids:
        picture(raw / f"train/{id}.png")
    table = "id,target\n" + "".join(f"{id},0\n" for id in ids)
    raw, facts = other_labels((raw, facts), table, group=None, group_pattern=pattern, keep=())
    assert label_layouts.wide(facts, raw)[0]["patient"].tolist() == expected


def test_a_group_pattern_that_leaves_ids_out_or_joins_nothing_says_so(wide, capsys):
    raw, facts = wide
    ids = [f"x{number:02}" for number in range(30)]
    for id in ids:
        picture(raw / f"train/{id}.png")
    table = "id,target\n" + "".join(f"{id},0\n" for id in ids)
    _, rare = other_labels((raw, facts), table, group=None, group_pattern=r"x0(\d)", keep=())
    label_layouts.wide(rare, raw)
    assert "labels.group_pattern does not match 20 of 30 ids" in capsys.readouterr().out
    _, single = other_labels((raw, facts), table, group=None, group_pattern=r"x\d+", keep=())
    label_layouts.wide(single, raw)
    assert "labels.group_pattern joins nothing: 30 ids, as many groups" in capsys.readouterr().out


def test_numbers_are_padded_and_columns_may_have_spaces(wide):
    raw, facts = wide
    for number in (1, 20):
        picture(raw / f"scans/S 1/{number:05d}.png")
    raw, facts = other_labels(wide, "id,The site,target\n1,S 1,0\n20.0,S 1,1\n", group=None, keep=())
    for pattern in ("scans/{The site}/{id:05d}.png",):
        images = facts.images.model_copy(update={"train": [pattern]})
        train, _, _ = label_layouts.wide(facts.model_copy(update={"images": images}), raw)
        assert train["image"].tolist() == ["scans/S 1/00001.png", "scans/S 1/00020.png"]


@pytest.mark.parametrize("id", ["b ", "B", "b.0", "b.png"])
def test_a_missing_image_is_told_with_its_likely_cause(wide, id):
    raw, facts = other_labels(wide, f"id,target\na,0\n{id},0\nc,1\n", group=None, keep=())
    with pytest.raises(UserError, match=r"1 image is missing.*There is 'train/b.png', not 'train/.*check spaces, case"):
        label_layouts.wide(facts, raw)


def test_missing_images_may_be_tolerated(wide, capsys):
    raw, facts = other_labels(wide, "id,target\na,0\nb,0\nc,1\ngone,1\n", group=None, keep=())
    images = facts.images.model_copy(update={"tolerate": 0.3})
    train, _, _ = label_layouts.wide(facts.model_copy(update={"images": images}), raw)
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
def test_a_pattern_that_is_none_is_one_line(change, message):
    with pytest.raises(ValueError, match=message):
        competition(**change)


@pytest.mark.parametrize(("ending", "package"), [("xlsx", "openpyxl"), ("parquet", "pyarrow")])
def test_tables_that_need_a_package_are_read_as_text_or_told(tmp_path, ending, package, monkeypatch):
    file = tmp_path / f"labels.{ending}"
    table = pd.DataFrame({"id": ["007", "NA"], " count ": [1, 2], "empty": [None, "x"]})
    (table.to_excel if ending == "xlsx" else table.to_parquet)(file, index=False)
    read = read_table(file, ["id", "count"])
    assert read.to_numpy().tolist() == [["007", "1", ""], ["NA", "2", "x"]]
    assert read.columns.tolist() == ["id", "count", "empty"]
    with pytest.raises(UserError, match="no column 'idd' .did you mean 'id'"):
        read_table(file, ["idd"])
    with pytest.raises(UserError, match="no such file"):
        read_table(file.with_name(f"none.{ending}"), [])
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"id,label"):
        file.write_bytes(damaged)
        with pytest.raises(UserError, match="not a readable table .*Download it again, or correct the extension"):
            read_table(file, [])
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        UserError, match=f"reading the table needs the package {package}. Install it .* save the table as CSV"
    ):
        read_table(file, [])


def test_a_sample_table_whose_origin_broke_off_is_made_anew(small):
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
def test_columns_that_the_header_does_not_name(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    if message is None:
        assert read_table(tmp_path / "a.csv", []).to_numpy().tolist() == [["a", "b"], ["c", "d"]]
    else:
        with pytest.raises(UserError, match=message):
            read_table(tmp_path / "a.csv", [])


def test_lists_may_have_another_separator(wide):
    raw, facts = other_labels(
        wide,
        "id,found\na,No Finding\nb,Mass|Pleural fluid\nc,\n",
        group=None,
        keep=(),
        shape="lists",
        value="found",
        separator="|",
        targets=["Mass", "No Finding", "Pleural fluid"],
    )
    facts = facts.model_copy(update={"task": "multilabel"})
    train, _, _ = label_layouts.lists(facts, raw)
    assert train[facts.labels.targets].to_numpy().tolist() == [["0", "1", "0"], ["1", "0", "1"], ["0", "0", "0"]]
