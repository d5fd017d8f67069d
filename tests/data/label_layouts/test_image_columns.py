"""Columns that the tables of all layouts have: id, image, unit and patient; DICOM headers."""

import pytest

from medfold.data.label_layouts import LAYOUTS
from tests.support.helpers import picture, refused
from tests.support.label_tables import facts, other_labels


def test_images_are_found_by_the_end_of_their_path(tmp_path, capsys):
    for number in range(4):
        picture(tmp_path / "train" / f"{number}.png", seed=number)
    rows = "".join(f"/content/drive/train/{number}.png,{number % 2}\n" for number in range(4))
    (tmp_path / "table.csv").write_text("id,sick\n" + rows)
    train, *_ = LAYOUTS["wide"](facts({"train": "{id}"}, holdout=0.5), tmp_path)
    assert train["image"].tolist() == [f"train/{number}.png" for number in range(4)]
    told = " ".join(capsys.readouterr().out.split())
    assert "4 ids match an image only by the end of the path: '/content/drive/train/0.png' was taken as train/0" in told


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


def test_image_pattern_with_unknown_column_is_refused(wide):
    raw, facts = wide
    images = facts.images.model_copy(update={"train": ["{site}/{id}.png"]})
    with refused("has the field 'site', but the table has no such column"):
        LAYOUTS["wide"](facts.model_copy(update={"images": images}), raw)


def test_private_header_among_kept_columns_is_refused(wide, monkeypatch):
    raw, facts = wide
    images = facts.images.model_copy(update={"dicom_headers": ["PatientName"]})
    labels = facts.labels.model_copy(update={"keep_columns": ("PatientName",)})
    monkeypatch.setattr(
        "medfold.data.label_layouts.image_columns.read_headers",
        lambda raw, images, keywords, complete: {"PatientName": ["x"] * len(images)},
    )
    with refused("labels.keep_columns: the header PatientName may identify a patient"):
        LAYOUTS["wide"](facts.model_copy(update={"images": images, "labels": labels}), raw)


def test_table_columns_can_be_called_id_and_image(wide):
    raw, facts = other_labels(wide, "id,image,target\n9,a,0\n9,b,0\n8,c,1\n", id="image", group="id", keep_columns=())
    train, _, _ = LAYOUTS["wide"](facts, raw)
    assert train[["id", "patient", "image"]].to_numpy().tolist() == [
        ["a", "9", "train/a.png"],
        ["b", "9", "train/b.png"],
        ["c", "8", "train/c.png"],
    ]


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
    raw, facts = other_labels((raw, facts), table, group=None, group_pattern=pattern, keep_columns=())
    assert LAYOUTS["wide"](facts, raw)[0]["patient"].tolist() == expected


def test_group_pattern_warns_if_ids_do_not_match_or_join(wide, capsys):
    raw, facts = wide
    ids = [f"x{number:02}" for number in range(30)]
    for id in ids:
        picture(raw / f"train/{id}.png")
    table = "id,target\n" + "".join(f"{id},0\n" for id in ids)
    _, rare = other_labels((raw, facts), table, group=None, group_pattern=r"x0(\d)", keep_columns=())
    LAYOUTS["wide"](rare, raw)
    assert "labels.group_pattern does not match 20 of 30 ids" in capsys.readouterr().out
    _, single = other_labels((raw, facts), table, group=None, group_pattern=r"x\d+", keep_columns=())
    LAYOUTS["wide"](single, raw)
    assert "labels.group_pattern joins nothing: 30 ids are in 30 groups" in capsys.readouterr().out


def test_group_pattern_matches_only_at_the_start_of_the_id(wide):
    table = "id,target\np1_a,0\nx_p1,0\np1_b,1\n"
    for id in ("p1_a", "x_p1", "p1_b"):
        picture(wide[0] / f"train/{id}.png")
    raw, facts = other_labels(wide, table, group=None, group_pattern=r"p\d", keep_columns=())
    train, _, _ = LAYOUTS["wide"](facts, raw)
    assert train["patient"].tolist() == ["p1", None, "p1"]


def test_image_pattern_pads_numbers_and_allows_spaces(wide):
    raw, facts = wide
    for number in (1, 20):
        picture(raw / f"scans/S 1/{number:05d}.png")
    raw, facts = other_labels(wide, "id,The site,target\n1,S 1,0\n20.0,S 1,1\n", group=None, keep_columns=())
    images = facts.images.model_copy(update={"train": ["scans/{The site}/{id:05d}.png"]})
    train, _, _ = LAYOUTS["wide"](facts.model_copy(update={"images": images}), raw)
    assert train["image"].tolist() == ["scans/S 1/00001.png", "scans/S 1/00020.png"]


@pytest.mark.parametrize("id", ["b ", "B", "b.0", "b.png"])
def test_missing_image_error_shows_a_similar_file(wide, id):
    raw, facts = other_labels(wide, f"id,target\na,0\n{id},0\nc,1\n", group=None, keep_columns=())
    with refused(r"1 image is missing.*There is 'train/b.png', not 'train/.*check spaces, case"):
        LAYOUTS["wide"](facts, raw)


def test_missing_image_error_explains_paths_of_windows(wide):
    raw, facts = other_labels(wide, "id,target\ntrain\\a,0\ntrain\\b,0\n", group=None, keep=())
    with refused(r"2 images are missing.*The ids are paths of Windows.*there is 'train/a.png'"):
        LAYOUTS["wide"](facts, raw)


def test_missing_images_within_the_tolerance_are_kept(wide, capsys):
    raw, facts = other_labels(wide, "id,target\na,0\nb,0\nc,1\ngone,1\n", group=None, keep_columns=())
    images = facts.images.model_copy(update={"max_unreadable": 0.3})
    train, _, _ = LAYOUTS["wide"](facts.model_copy(update={"images": images}), raw)
    assert train["image"].tolist()[-1] == "train/gone.png"
    assert "1 image is missing, no more than images.max_unreadable allows: train/gone.png" in capsys.readouterr().out


def test_rows_without_a_group_are_groups_of_their_own_and_reported(wide, capsys):
    raw, facts = other_labels(wide, "id,patient,target\na,P,0\nb,,0\nc,,1\n", group="patient", keep_columns=())
    train, _, _ = LAYOUTS["wide"](facts, raw)
    assert train["patient"].tolist() == ["P", None, None]
    told = " ".join(capsys.readouterr().out.split())
    assert "labels.group: 'patient' is empty in 2 of 3 rows: each is a separate group: b, c" in told
