"""The sections on the data and the folds."""

from medfold.data import make_dataset
from medfold.report.sections.data import audit_counts
from medfold.system import files, json_files
from tests.support.helpers import refused
from tests.support.report_pages import cells, read_page


def test_data_and_fold_tables_match_the_dataset(competition, good):
    dataset, text = make_dataset(competition), read_page(good)
    facts = dict(cells(text, "Counts, and results of the audit"))
    assert facts["training images"] == str(len(dataset.train))
    assert facts["test images"] == str(len(dataset.test))
    assert facts["groups, such as patients"] == "40"
    assert facts["exact duplicates in train"] == "2"
    assert facts["predicted is the probability of"] == "target = 1 (positive), not 0"
    counted = dataset.train.groupby("fold").agg(n=("id", "size"), groups=("group", "nunique"))
    rows = cells(text, "Images, groups and labels in each fold")
    assert [[int(cell) for cell in row[:3]] for row in rows] == counted.reset_index().to_numpy().tolist()
    assert sum(int(row[4]) for row in rows) == dataset.targets.sum()


def test_leaks_of_an_earlier_version_are_counted(small):
    former = {"split": 0, "duplicates": 2, "contradicting": 1, "leaked": 3, "plain": 4}
    json_files.write({"samples": 9, "groups": 5, "audit": former}, small.paths.folds_metadata)
    recorded = {"split_groups": 0, "duplicates": 2, "contradicting_duplicates": 1, "duplicates_in_test": 3}
    assert audit_counts(small.paths) == {**recorded, "images_of_one_value": 4}
    files.write_text("kind,ids\nleaked,a = b\nnear,a ~ c\nnear,b ~ c\nnear_split,b ~ c\n", small.paths.leaks)
    found = {"duplicates_in_test": 1, "near_duplicates": 2, "split_near_duplicates": 1, "near_duplicates_in_test": 0}
    assert audit_counts(small.paths) == {
        **dict.fromkeys(("split_groups", "duplicates", "contradicting_duplicates", "images_of_one_value"), 0),
        **found,
    }


def test_leaks_without_their_kind_are_refused(small):
    files.write_text("ids\na = b\n", small.paths.leaks)
    with refused(r"leaks\.csv: no column 'kind'\. Make it again: make folds"):
        audit_counts(small.paths)
