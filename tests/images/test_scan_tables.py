"""Tables of a scan: measurements, appearance, bad images."""

import pandas as pd

from medfold.images.scan_tables import read_appearance, read_measurements
from medfold.images.store import load_store, store_key
from tests.support.scans import CHOICES, damage, run_scan


def test_appearance_is_computed_only_when_requested(small, table):
    damage(small, table, [4])
    run_scan(small, table, CHOICES)
    assert read_appearance(small.competition, small.paths) is None
    assert run_scan(small, table, with_appearance=True).num_images == len(table) - 1
    seen = read_appearance(small.competition, small.paths)
    assert seen["row"].tolist() == [row for row in range(len(table)) if row != 4]
    assert read_measurements(small.competition, small.paths).loc[4, "bad"]


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
