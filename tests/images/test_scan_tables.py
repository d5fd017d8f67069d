"""Tables of a scan: measurements, appearance, bad images."""

import pandas as pd
import pytest

from medfold.errors import UserError
from medfold.images.scan_tables import measurement_table, read_appearance, read_measurements, write_bad_images
from medfold.images.scan_worker import ImageScan
from medfold.images.store import load_store, store_key
from tests.support.scans import CHOICES, damage, run_scan


def test_appearance_is_computed_only_when_requested(small, table):
    damage(small, table, [4])
    run_scan(small, table, CHOICES)
    assert read_appearance(small.competition, small.paths) is None
    assert run_scan(small, table, with_appearance=True).num_images == len(table) - 1
    seen = read_appearance(small.competition, small.paths)
    assert seen["row"].tolist() == [row for row in range(len(table)) if row != 4]
    assert "not a picture" in read_measurements(small.competition, small.paths).loc[4, "bad"]


def test_changed_facts_or_raw_data_invalidate_measurements(small, table):
    run_scan(small, table)
    ranged = small.competition.images.model_copy(update={"frame": "last"})
    assert read_measurements(small.competition.model_copy(update={"images": ranged}), small.paths) is None
    small.paths.raw_manifest.write_text(small.paths.raw_manifest.read_text() + "more.png,1\n")
    assert read_measurements(small.competition, small.paths) is None


def test_few_bad_images_are_listed_and_left_out(small, table):
    damage(small, table, [5])
    run_scan(small, table, CHOICES)
    listed = pd.read_csv(small.paths.bad_images)
    assert listed[["file", "id", "part"]].to_numpy().tolist() == [table.loc[5, ["image", "id", "part"]].tolist()]
    assert "not a picture" in listed["reason"].iloc[0]
    known = read_measurements(small.competition, small.paths)
    assert (known["bad"] != "").to_numpy().nonzero()[0].tolist() == [5]
    opened = load_store(small.paths, store_key(small.competition, small.paths, CHOICES))
    assert set(opened.rows.index) == set(table["id"]) - {table["id"].iloc[5]}


def ten_samples(*unreadable: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns ten samples, and their measurements with these rows unreadable."""
    names = [f"i{number}" for number in range(10)]
    parts = ["train"] * 8 + ["test"] * 2
    samples = pd.DataFrame({"id": names, "image": [f"{name}.png" for name in names], "part": parts})
    bad = [f"reason {row}" if row in unreadable else "" for row in range(10)]
    return samples, samples[["id"]].assign(bad=bad)


@pytest.fixture
def write_bad(small):
    """Returns a function that writes the list of unreadable images, where a tenth or two tenths are tolerated."""
    small.paths.data.mkdir(parents=True)

    def run(*unreadable: int, tolerate: float = 0.1, reason: str | None = None) -> None:
        samples, measured = ten_samples(*unreadable)
        if reason is not None:
            measured["bad"] = reason
        images = small.competition.images.model_copy(update={"tolerate": tolerate})
        facts = small.competition.model_copy(update={"images": images})
        write_bad_images(facts, small.paths, samples, measured)

    return run


def test_share_that_is_tolerated_is_no_error(small, write_bad):
    write_bad(2)
    assert pd.read_csv(small.paths.bad_images).to_numpy().tolist() == [["i2.png", "reason 2", "i2", "train"]]
    with pytest.raises(
        UserError, match=r"2 of 10 images cannot be read, more than images\.tolerate allows \(10\.00%\)"
    ):
        write_bad(2, 9)
    assert pd.read_csv(small.paths.bad_images)["id"].tolist() == ["i2", "i9"]  # all are listed before the error


def test_list_is_removed_once_all_images_can_be_read(small, write_bad):
    write_bad(2)
    write_bad()
    assert not small.paths.bad_images.exists()


def test_all_images_are_never_tolerated(write_bad):
    with pytest.raises(UserError, match="10 of 10 images .*Download them again, or raise images.tolerate"):
        write_bad(*range(10), tolerate=1)
    with pytest.raises(UserError, match="All have this reason: check 'images' in competition.yaml, and the files"):
        write_bad(reason="too small", tolerate=1)


def test_measurements_are_in_the_order_of_the_samples():
    samples = pd.DataFrame({"id": ["b", "a", "c"]})
    results = {2: ImageScan(2, "", 3, 4, "h2"), 0: ImageScan(0, "", 1, 2, "h0"), 1: ImageScan(1, "cut off")}
    table = measurement_table(samples, results)
    assert table["id"].tolist() == ["b", "a", "c"]
    assert table["bad"].tolist() == ["", "cut off", ""]
    assert table["height"].tolist() == [1, pd.NA, 3]
    assert table["hash"].fillna("").tolist() == ["h0", "", "h2"]
