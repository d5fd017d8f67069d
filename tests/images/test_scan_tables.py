"""Tables of a scan: measurements, appearance, unreadable images."""

import pandas as pd

from medfold.earlier_versions import APPEARANCE, MEASUREMENTS
from medfold.images.scan_tables import raw_images_fingerprint, read_appearance, read_measurements
from medfold.images.store import load_store, store_key
from medfold.system import files
from tests.support.scans import CHOICES, damage, run_scan


def test_appearance_is_computed_only_when_requested(small, table):
    damage(small, table, [4])
    run_scan(small, table, CHOICES)
    assert read_appearance(small.competition, small.paths) is None
    assert run_scan(small, table, with_appearance=True).num_images == len(table) - 1
    seen = read_appearance(small.competition, small.paths)
    assert seen["row"].tolist() == [row for row in range(len(table)) if row != 4]
    assert read_measurements(small.competition, small.paths).loc[4, "unreadable_reason"]


def test_changed_facts_or_raw_data_invalidate_measurements(small, table):
    run_scan(small, table)
    ranged = small.competition.images.model_copy(update={"frame": "last"})
    assert read_measurements(small.competition.model_copy(update={"images": ranged}), small.paths) is None
    small.paths.raw_manifest.write_text(small.paths.raw_manifest.read_text() + "more.png,1\n")
    assert read_measurements(small.competition, small.paths) is None


def test_few_unreadable_images_are_listed_and_left_out(small, table):
    damage(small, table, [5])
    run_scan(small, table, CHOICES)
    listed = pd.read_csv(small.paths.unreadable_images)
    assert listed[["file", "id", "part"]].to_numpy().tolist() == [table.loc[5, ["image", "id", "part"]].tolist()]
    assert "not a picture" in listed["reason"].iloc[0]
    known = read_measurements(small.competition, small.paths)
    assert (known["unreadable_reason"] != "").to_numpy().nonzero()[0].tolist() == [5]
    opened = load_store(small.paths, store_key(small.competition, small.paths, CHOICES))
    assert set(opened.rows.index) == set(table["id"]) - {table["id"].iloc[5]}


def test_tables_of_an_earlier_version_are_read(small, table):
    damage(small, table, [5])
    run_scan(small, table, with_appearance=True)
    inputs = raw_images_fingerprint(small.competition, small.paths)
    companions = (small.paths.thumbnails, small.paths.headers)
    measurements, appearance = (read(small.competition, small.paths) for read in (read_measurements, read_appearance))
    small.paths.measurements.unlink()
    small.paths.unreadable_images.rename(small.paths.data / "bad_images.csv")
    former = measurements.rename(columns=MEASUREMENTS)
    assert former.columns.tolist() == ["id", "bad", "height", "width", "hash"]
    files.write_sealed_csv(former, small.paths.data / "pixels.csv", inputs)
    files.write_sealed_csv(appearance.rename(columns=APPEARANCE), small.paths.appearance, inputs, companions)
    assert run_scan(small, table, with_appearance=True).num_images == 0
    pd.testing.assert_frame_equal(read_measurements(small.competition, small.paths), measurements)
    pd.testing.assert_frame_equal(read_appearance(small.competition, small.paths), appearance)
    assert (small.paths.measurements.name, small.paths.unreadable_images.name) == ("pixels.csv", "bad_images.csv")
