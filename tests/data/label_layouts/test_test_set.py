"""The test set of a label layout: from a table, a split column, or all matching files."""

from medfold.data.label_layouts import LAYOUTS, read_test_table
from tests.support.helpers import picture, refused
from tests.support.label_tables import SICK, facts, rows_of


def test_validation_split_is_the_test_split_if_there_is_none(raw):
    rows_of(raw, ["train"] * 5 + ["val"] * 3, [*SICK[:5], "", "", ""])
    train, test, solution = LAYOUTS["wide"](facts(split="split"), raw)
    assert (len(train), len(test), solution) == (5, 3, None)
    alone = read_test_table(facts(split="split"), raw)  # as a notebook meets it
    assert alone.to_numpy().tolist() == test[["id", "image", "unit"]].to_numpy().tolist()


def test_test_split_without_a_table_is_all_matching_files(raw):
    for number in (7, 8):
        picture(raw / "test" / f"{number:05}.png", seed=number)
    (raw / "table.csv").write_text("id,sick\n" + "".join(f"{number},{number % 2}\n" for number in range(6)))
    train, test, solution = LAYOUTS["wide"](facts({"test": "test/{id}.png"}), raw)
    assert (len(train), test["id"].tolist(), solution) == (6, ["00007", "00008"], None)
    with refused("no test image matches probe/{id}.png. Correct the pattern. Folders found: ., images, test"):
        LAYOUTS["wide"](facts({"test": "probe/{id}.png"}), raw)
