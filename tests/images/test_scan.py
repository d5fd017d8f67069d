"""The scan of all images: measurements, appearance, the store, unreadable images, and resuming after a kill."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medfold.competition import PreparationSettings
from medfold.images import (
    load_store,
    perceptual_hash,
    prepare_image,
    read_appearance,
    read_image,
    read_measurements,
    scan,
    store_exists,
    store_key,
)
from medfold.images.scan_worker import scan_image
from medfold.images.worker_pool import map_in_workers
from tests.support.helpers import refused, slow_but_first
from tests.support.processes import finish, kill_when, start
from tests.support.scans import CHOICES, damage, flip, run_scan


def test_one_scan_fills_the_store(small, table):
    facts, paths = small.facts, small.paths
    key = store_key(small, CHOICES)
    assert not store_exists(paths, key)
    assert run_scan(small, table, CHOICES, with_appearance=True).num_images == len(table)
    assert store_exists(paths, key)
    opened = load_store(paths, key)
    assert isinstance(opened.pixels, np.memmap)
    for row in range(0, len(table), 17):
        pixels = read_image(paths.raw, table["image"].iloc[row], facts.images)
        assert (opened.pixels[opened.rows_of(table["id"].iloc[[row]])[0]] == prepare_image(pixels, CHOICES)).all()
    assert sorted(path.name for path in (paths.data / "store").iterdir()) == [key]
    assert sorted(path.name for path in paths.store(key).iterdir()) == ["blocks.json", "images.npy", "index.csv"]


def test_one_scan_measures_every_image(small, table):
    facts, paths = small.facts, small.paths
    run_scan(small, table, CHOICES, with_appearance=True)
    thumbnails = np.load(paths.thumbnails)
    known, seen = read_measurements(small), read_appearance(small)
    assert known["id"].tolist() == seen["id"].tolist() == table["id"].tolist()
    for row in range(0, len(table), 17):
        pixels = read_image(paths.raw, table["image"].iloc[row], facts.images)
        image_hash, thumbnail = perceptual_hash.hash_and_thumbnail(pixels)
        assert (thumbnails[row] == thumbnail).all()
        assert seen.loc[row, ["row", "perceptual_hash"]].tolist() == [row, f"{image_hash:016x}"]
        assert known.loc[row, ["height", "width"]].tolist() == [128, 128]
        assert seen.loc[row, "mean"] == pytest.approx(pixels.mean(), abs=0.01)
        assert seen.loc[row, "dark"] == pytest.approx(np.percentile(pixels, 5), abs=1)
    assert run_scan(small, table, CHOICES, with_appearance=True).num_images == 0


def test_store_rows_lost_on_disk_are_prepared_again(small, table, monkeypatch):
    key = store_key(small, CHOICES)

    def flip_a_bit_afterwards(function, items, *limits):
        yield from map_in_workers(function, items, *limits)
        flip(small.paths.unfinished_store(key) / "images.npy", 5)

    monkeypatch.setattr(scan, "map_in_workers", flip_a_bit_afterwards)
    with refused(f"1 of {len(table)} images .* disk"):
        run_scan(small, table, CHOICES)
    assert not store_exists(small.paths, key)
    monkeypatch.undo()
    assert run_scan(small, table, CHOICES).num_images == 1
    opened, pixels = (
        load_store(small.paths, key),
        read_image(small.paths.raw, table["image"].iloc[5], small.facts.images),
    )
    assert (opened.pixels[5] == prepare_image(pixels, CHOICES)).all()


def test_second_recipe_does_not_measure_again(small, table):
    run_scan(small, table, with_appearance=True)
    before = small.paths.measurements.stat().st_mtime_ns, small.paths.thumbnails.stat().st_mtime_ns
    assert run_scan(small, table, CHOICES, with_appearance=True).num_images == len(table)
    assert store_exists(small.paths, store_key(small, CHOICES))
    assert before == (small.paths.measurements.stat().st_mtime_ns, small.paths.thumbnails.stat().st_mtime_ns)


def test_too_many_unreadable_images_raise_after_listing_all(small, table):
    rows = list(range(0, 40, 4))
    kept = {row: (small.paths.raw / table["image"].iloc[row]).read_bytes() for row in rows}
    damage(small, table, rows)
    for _ in range(2):
        with refused(r"10 of \d+ images cannot be read, more than images.max_unreadable.*Replace them with undamaged"):
            run_scan(small, table, CHOICES)
    assert len(pd.read_csv(small.paths.unreadable_images)) == 10
    assert read_measurements(small) is None
    for row, content in kept.items():
        (small.paths.raw / table["image"].iloc[row]).write_bytes(content)
    assert run_scan(small, table, CHOICES).num_images == 10  # the others are not scanned again
    assert not small.paths.unreadable_images.exists()


def test_newly_damaged_image_raises_until_restored(small, table):
    run_scan(small, table)
    path = small.paths.raw / table["image"].iloc[7]
    content = path.read_bytes()
    damage(small, table, [7])
    for _ in range(2):
        with refused(f"1 image readable in the last scan cannot be read now: .*{path.name}"):
            run_scan(small, table, CHOICES)
    path.write_bytes(content)
    assert run_scan(small, table, CHOICES).num_images == 1


def crash_at_third_image(item, settings):
    if item[0] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return scan_image(item, settings)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_file_that_crashes_the_decoder_is_unreadable(small, table, monkeypatch):
    monkeypatch.setattr(scan, "scan_image", crash_at_third_image)
    run_scan(small, table, CHOICES)
    listed = pd.read_csv(small.paths.unreadable_images)
    assert listed[["id", "unreadable_reason"]].to_numpy().tolist() == [[table["id"].iloc[2], scan.DECODER_CRASHED]]


def test_invalid_step_raises_before_any_image_is_read(small, table):
    with refused("crop_foregroud.*did you mean 'crop_foreground'"):
        run_scan(small, table, PreparationSettings(size=16, steps=["crop_foregroud"]))
    assert not small.paths.unfinished_scan.exists()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_killed_scan_resumes_and_writes_same_bytes(small, project_folder):
    """Kill the scan when some images are done: the next one does the rest, and no image twice."""
    words = "prepare --competition small"
    (project_folder / "competition" / "small" / "competition.yaml").write_text(
        small.paths.facts_file.read_text().replace("train_patients: 40", "train_patients: 150")
    )
    finish(project_folder, "download --competition small")
    paths = small.paths
    journals = lambda: list((paths.data / "store").glob(".*.unfinished/journal.jsonl"))  # noqa: E731
    kill_when(start(project_folder, words), lambda: journals() and len(journals()[0].read_text().splitlines()) > 3)
    with journals()[0].open("a") as journal:
        journal.write('[[3, "ba')  # a line cut off by the kill
    done = [found[0] for line in journals()[0].read_text().splitlines()[:-1] for found in json.loads(line)]
    output = finish(project_folder, words)
    total = len(pd.read_csv(paths.samples))
    assert f"{total - len(done):,} images at 16x16 px" in output
    results = [paths.measurements, *sorted((paths.data / "store").glob("*/*"))]
    contents = [path.read_bytes() for path in results]
    for path in results:
        path.unlink()
    next((paths.data / "store").glob("*")).rmdir()
    assert f"{total:,} images at" in finish(project_folder, words)
    assert contents == [path.read_bytes() for path in results]


@pytest.mark.slow
@pytest.mark.parametrize("appearance_is_left", slow_but_first(True, False))
def test_journal_of_a_scan_killed_at_its_end_is_removed(small, table, monkeypatch, appearance_is_left):
    """When all its tables are written. The journal of an unfinished scan stays, so that it can be resumed."""
    run_scan(small, table)
    with monkeypatch.context() as patched:
        patched.setattr(scan.files, "remove", lambda path: None)  # killed before the last line
        run_scan(small, table, with_appearance=True)
    assert (small.paths.unfinished_scan / "journal.jsonl").is_file()
    if appearance_is_left:
        small.paths.appearance.unlink()
    run_scan(small, table, CHOICES)
    assert small.paths.unfinished_scan.exists() is appearance_is_left


def test_one_reason_for_all_images_points_to_the_facts(small, table):
    images = small.facts.images.model_copy(update={"expected_shape": [64, 64]})
    competition = replace(small, facts=small.facts.model_copy(update={"images": images}))
    with refused(r"expected 64x64 \(images.expected_shape\). All have this reason: check 'images'"):
        run_scan(competition, table)
