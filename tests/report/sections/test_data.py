"""The sections on the data and the folds."""

from medfold.data.dataset import load_dataset
from tests.support.report_pages import cells, read_page


def test_data_and_fold_tables_match_the_dataset(project, good):
    data, text = load_dataset(project), read_page(good)
    facts = dict(cells(text, "Counts, and findings of the audit"))
    assert facts["training images"] == str(len(data.train))
    assert facts["test images"] == str(len(data.test))
    assert facts["groups, such as patients: never split"] == "40"
    assert facts["exact duplicates in train"] == "2"
    assert facts["predicted is the probability of"] == "target = 1 (positive), not 0"
    counted = data.train.groupby("fold").agg(n=("id", "size"), groups=("group", "nunique"))
    rows = cells(text, "Images, groups and labels in each fold")
    assert [[int(cell) for cell in row[:3]] for row in rows] == counted.reset_index().to_numpy().tolist()
    assert sum(int(row[4]) for row in rows) == data.targets.sum()
