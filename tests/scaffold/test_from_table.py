"""Facts of competitions whose labels are in a table."""

from tests.support.drafts import facts_and_doubts, pictures, table


def test_test_images_without_a_table_are_the_test_set(tmp_path):
    pictures(tmp_path, "train/a{n}.png", "test/t{n}.png")
    table(tmp_path, "train_labels.csv", "id,label", *(f"a{n:03},{n % 2}" for n in range(12)))
    facts, _ = facts_and_doubts(tmp_path)
    assert facts["images"]["test"] == "test/{id}.png"
    assert "holdout" not in facts["labels"]


def test_split_column_is_never_a_target(tmp_path):
    pictures(tmp_path, "images/a{n}.png")
    rows = [f"a{n:03},{['train', 'test'][n > 8]},{n % 3}" for n in range(12)]
    table(tmp_path, "labels.csv", "image,split,stage", *rows)
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["stage"]
    assert (facts["labels"]["split"], facts["images"]) == ("split", {"train": "images/{id}.png", "channels": 1})
    table(tmp_path, "sample_submission.csv", "image,stage", *(f"a{n:03},0" for n in range(9, 12)))
    facts, said = facts_and_doubts(tmp_path)
    assert "split" not in facts["labels"]
    assert "labels.split: column 'split' has names of splits, and is not used" in said


def test_patients_whose_names_begin_those_of_images_are_only_the_group(tmp_path):
    pictures(tmp_path, "images/a{n}_1.png", "images/a{n}_2.png")
    rows = [f"a{n:03}_{image},a{n:03},{n % 2}" for n in range(12) for image in (1, 2)]
    table(tmp_path, "labels.csv", "image_id,patient_id,label", *rows)
    facts, said = facts_and_doubts(tmp_path)
    assert (facts["labels"]["id"], facts["labels"]["group"]) == ("image_id", "patient_id")
    assert "are names of images, too" not in said


def test_unused_split_columns_and_files_are_reported(tmp_path):
    pictures(tmp_path, "images/{n}.png")
    table(tmp_path, "labels.csv", "image,is_test,fold,label", *(f"{n:03},{n // 9},{n % 5},{n % 2}" for n in range(12)))
    (tmp_path / "images" / "a.xcf").write_bytes(b"gimp xcf")
    facts, said = facts_and_doubts(tmp_path)
    assert facts["labels"]["targets"] == ["label"]
    assert "labels.split: column 'is_test' names splits or folds, and is not used" in said
    assert "labels.split: column 'fold' names splits or folds" in said
    assert "1 file in images with the extension .xcf: not a known image format; not used" in said
