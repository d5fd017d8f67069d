"""Tables of a scan: measurements, appearance, unreadable images."""

from dataclasses import replace

import pandas as pd
import pytest

from medfold.earlier_versions import APPEARANCE, MEASUREMENTS
from medfold.images import ImageScan, load_store, scan_tables, store_key
from medfold.images.scan_tables import (
    check_enough_readable,
    measurement_table,
    raw_images_fingerprint,
    read_appearance,
    read_measurements,
    read_scanned_headers,
    write_unreadable_images,
)
from medfold.tables import write_csv, write_sealed_csv
from tests.support.helpers import refused
from tests.support.scans import CHOICES, damage, run_scan


def test_appearance_is_computed_only_when_requested(small, table):
    damage(small, table, [4])
    run_scan(small, table, CHOICES)
    assert read_appearance(small) is None
    assert run_scan(small, table, with_appearance=True).num_images == len(table) - 1
    seen = read_appearance(small)
    assert seen["row"].tolist() == [row for row in range(len(table)) if row != 4]
    assert "not a picture" in read_measurements(small).loc[4, "unreadable_reason"]


def test_changed_facts_or_raw_data_invalidate_measurements(small, table):
    run_scan(small, table)
    images = small.facts.images.model_copy(update={"frame": "last"})
    assert read_measurements(replace(small, facts=small.facts.model_copy(update={"images": images}))) is None
    small.paths.raw_manifest.write_text(small.paths.raw_manifest.read_text() + "more.png,1\n")
    assert read_measurements(small) is None


def test_headers_are_read_as_text(small):
    assert read_scanned_headers(small.paths) is None
    table = pd.DataFrame({"id": ["07", "8"], "PatientAge": ["060", None], "Modality": ["NA", "CT"]})
    write_csv(table, small.paths.headers)
    headers = read_scanned_headers(small.paths)
    assert headers.loc["07"].to_dict() == {"PatientAge": "060", "Modality": "NA"}
    assert headers.loc["8"].to_dict() == {"PatientAge": "", "Modality": "CT"}


def test_few_unreadable_images_are_listed_and_left_out(small, table):
    damage(small, table, [5])
    run_scan(small, table, CHOICES)
    listed = pd.read_csv(small.paths.unreadable_images)
    assert listed[["id", "part", "image"]].to_numpy().tolist() == [table.loc[5, ["id", "part", "image"]].tolist()]
    assert "not a picture" in listed["unreadable_reason"].iloc[0]
    known = read_measurements(small)
    assert (known["unreadable_reason"] != "").to_numpy().nonzero()[0].tolist() == [5]
    opened = load_store(small.paths, store_key(small, CHOICES))
    assert set(opened.rows.index) == set(table["id"]) - {table["id"].iloc[5]}


def ten_samples(*unreadable: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns ten samples, and their measurements with these rows unreadable."""
    names = [f"i{number}" for number in range(10)]
    parts = ["train"] * 8 + ["test"] * 2
    samples = pd.DataFrame({"id": names, "image": [f"{name}.png" for name in names], "part": parts})
    reasons = [f"reason {row}" if row in unreadable else "" for row in range(10)]
    return samples, samples[["id"]].assign(unreadable_reason=reasons)


OTHER = "9x9 pixels, expected 8x8 (images.expected_shape)"


@pytest.fixture
def list_unreadable(small):
    """Returns a function that writes the list of unreadable images, and checks their share."""
    small.paths.data.mkdir(parents=True)

    def run(*unreadable: int, max_unreadable: float = 0.1, reason: str | list[str] | None = None) -> None:
        samples, measured = ten_samples(*unreadable)
        if reason is not None:
            measured["unreadable_reason"] = reason
        images = small.facts.images.model_copy(update={"max_unreadable": max_unreadable})
        facts = small.facts.model_copy(update={"images": images})
        listed = write_unreadable_images(small.paths, samples, measured)
        check_enough_readable(replace(small, facts=facts), listed, len(samples))

    return run


def test_share_that_is_tolerated_is_no_error(small, list_unreadable):
    list_unreadable(2)
    assert pd.read_csv(small.paths.unreadable_images).to_numpy().tolist() == [["i2", "train", "i2.png", "reason 2"]]
    with refused(r"2 of 10 images cannot be read, more than images\.max_unreadable allows \(10\.00%\)"):
        list_unreadable(2, 9)
    assert pd.read_csv(small.paths.unreadable_images)["id"].tolist() == ["i2", "i9"]  # all are listed before the error


def test_list_is_removed_once_all_images_can_be_read(small, list_unreadable):
    list_unreadable(2)
    list_unreadable()
    assert not small.paths.unreadable_images.exists()


def test_all_images_are_never_tolerated(list_unreadable):
    with refused("10 of 10 images .*Replace them with undamaged copies, or raise images.max_unreadable"):
        list_unreadable(*range(10), max_unreadable=1)
    with refused("All have this reason: check 'images' in competition.yaml, and the files"):
        list_unreadable(reason="too small", max_unreadable=1)


def test_images_of_another_shape_are_not_called_unreadable(list_unreadable):
    fix = "Correct images.expected_shape, remove it if images differ in size, or raise images.max_unreadable"
    with refused(rf"2 of 10 images cannot be used, more .* 8x9 pixels, .*\. {fix}$"):
        list_unreadable(2, 9, reason=["", "", "8x9 pixels, expected 8x8 (images.expected_shape)"] + [""] * 6 + [OTHER])


def test_measurements_are_in_the_order_of_the_samples():
    samples = pd.DataFrame({"id": ["b", "a", "c"]})
    results = {2: ImageScan(2, "", 3, 4, "h2"), 0: ImageScan(0, "", 1, 2, "h0"), 1: ImageScan(1, "cut off")}
    table = measurement_table(samples, results)
    assert table["id"].tolist() == ["b", "a", "c"]
    assert table["unreadable_reason"].tolist() == ["", "cut off", ""]
    assert table["height"].tolist() == [1, pd.NA, 3]
    assert table["pixel_hash"].fillna("").tolist() == ["h0", "", "h2"]


def test_the_fingerprint_of_raw_images_is_that_of_earlier_versions(small, monkeypatch):
    """Measurements that were written when images.expected_shape was called images.shape are still valid."""
    monkeypatch.setattr(scan_tables, "read_image_list_fingerprint", lambda paths: "list")
    monkeypatch.setattr(scan_tables, "sha256", lambda path: "raw")
    assert raw_images_fingerprint(small) == "f89d8ec80be8b9c4"


def test_tables_of_an_earlier_version_are_read(small, table):
    damage(small, table, [5])
    run_scan(small, table, with_appearance=True)
    inputs = raw_images_fingerprint(small)
    companions = (small.paths.thumbnails, small.paths.headers)
    measurements, appearance = (read(small) for read in (read_measurements, read_appearance))
    small.paths.measurements.unlink()
    small.paths.unreadable_images.rename(small.paths.data / "bad_images.csv")
    former = measurements.rename(columns=MEASUREMENTS)
    assert former.columns.tolist() == ["id", "bad", "height", "width", "hash"]
    write_sealed_csv(former, small.paths.data / "pixels.csv", inputs)
    write_sealed_csv(appearance.rename(columns=APPEARANCE), small.paths.appearance, inputs, companions)
    assert run_scan(small, table, with_appearance=True).num_images == 0
    pd.testing.assert_frame_equal(read_measurements(small), measurements)
    pd.testing.assert_frame_equal(read_appearance(small), appearance)
    assert (small.paths.measurements.name, small.paths.unreadable_images.name) == ("pixels.csv", "bad_images.csv")
