"""The sample table: ids, labels, groups, units and images as the raw data says."""

import pandas as pd

from medfold.data import Source, samples_are_fresh
from medfold.data.samples import build_samples, describe_image_counts
from tests.support.helpers import refused


def test_build_samples_hides_patients_and_detects_changes(small):
    Source(small.facts.source, small.paths).fetch()
    table = build_samples(small.facts, small.paths)
    assert list(table.columns) == ["id", "part", "image", "group", "unit", "target", "age", "sex"]
    assert pd.api.types.is_integer_dtype(table["group"])
    patients = pd.read_csv(small.paths.groups).set_index("group")["patient"]
    raw = pd.read_csv(small.paths.raw / "train.csv").set_index("id")["patient_id"]
    train = table[table["part"] == "train"]
    assert patients.loc[train["group"]].tolist() == raw.loc[train["id"]].tolist()
    assert table["target"].isna().equals(table["part"] == "test")

    assert samples_are_fresh(small.facts, small.paths)
    small.paths.raw_manifest.write_text(small.paths.raw_manifest.read_text() + "more.png,1\n")
    assert not samples_are_fresh(small.facts, small.paths)


def test_images_are_counted_by_part():
    table = pd.DataFrame({"part": ["train"] * 1200 + ["test"]})
    assert describe_image_counts(table, None) == "1,200 training and 1 test image"
    described = describe_image_counts(table.head(40), 0.25)
    assert described == "40 images; 25% of them become the test set when the folds are made"


def test_unexpected_number_of_samples_is_refused(small):
    Source(small.facts.source, small.paths).fetch()
    labels = small.facts.labels.model_copy(update={"expected_counts": {"train": 5}})
    with refused(r"expected 5 train samples, found \d+"):
        build_samples(small.facts.model_copy(update={"labels": labels}), small.paths)


def test_missing_root_of_the_images_is_reported(small, capsys):
    Source(small.facts.source, small.paths).fetch()
    images = small.facts.images.model_copy(update={"root": "nowhere"})
    build_samples(small.facts.model_copy(update={"images": images}), small.paths)
    assert "samples    images.root: no folder 'nowhere'; patterns start at raw/" in capsys.readouterr().out


def test_duplicate_ids_are_refused(small):
    Source(small.facts.source, small.paths).fetch()
    table = small.paths.raw / "train.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[1]]))
    with refused("1 id appears more than once in the training set"):
        build_samples(small.facts, small.paths)


def test_unit_in_two_groups_is_refused(small):
    Source(small.facts.source, small.paths).fetch()
    ids = (small.paths.raw / "sample_submission.csv").read_text().split("\n")[1:-1]
    rows = [f"{line.split(',')[0]},X" for line in ids]
    (small.paths.raw / "test.csv").write_text("\n".join(["id,sex", *rows, ""]))
    score = small.facts.score.model_copy(update={"unit": "{sex}"})
    labels = small.facts.labels.model_copy(update={"test_file": "test.csv"})
    with refused("2 units are in two groups: [FM], [FM]. Change score.unit or labels.group"):
        build_samples(small.facts.model_copy(update={"score": score, "labels": labels}), small.paths)


def test_group_in_train_and_test_has_one_number(small):
    Source(small.facts.source, small.paths).fetch()
    patients = pd.read_csv(small.paths.raw / "train.csv", dtype=str)["patient_id"].unique()
    ids = pd.read_csv(small.paths.raw / "sample_submission.csv", dtype=str)["id"]
    test = pd.DataFrame({"id": ids, "patient_id": [*patients[:2], *(f"new {id}" for id in ids[2:])]})
    test.to_csv(small.paths.raw / "test.csv", index=False)
    labels = small.facts.labels.model_copy(update={"test_file": "test.csv"})
    table = build_samples(small.facts.model_copy(update={"labels": labels}), small.paths)
    in_test = set(table["group"][table["part"] == "test"])
    assert len(in_test & set(table["group"][table["part"] == "train"])) == 2


def test_rows_without_a_patient_are_groups_of_their_own(small):
    Source(small.facts.source, small.paths).fetch()
    path = small.paths.raw / "train.csv"
    rows = pd.read_csv(path, dtype=str)
    rows.loc[:2, "patient_id"] = ""
    rows.to_csv(path, index=False)
    table = build_samples(small.facts, small.paths).set_index("id")
    assert table.loc[rows["id"][:3], "group"].nunique() == 3
