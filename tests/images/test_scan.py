"""The scan of all images: measurements, appearance, the store, bad images, and resuming after a kill."""

import json
import os
import signal

import cv2
import numpy as np
import pandas as pd
import pytest

from medfold.competition.recipe_sections import ImageSettings
from medfold.data.samples import build_samples
from medfold.data.sources.source import Source
from medfold.errors import UserError
from medfold.images import perceptual_hash, scan
from medfold.images.formats.decoding import read_image
from medfold.images.preparation import prepare_image
from medfold.images.scan import scan_images
from medfold.images.scan_tables import read_appearance, read_measurements
from medfold.images.scan_worker import scan_image
from medfold.images.store import load_store, store_exists, store_key, verify_store
from medfold.images.worker_pool import map_in_workers
from tests.support.helpers import finish, kill_when, start

CHOICES = ImageSettings(size=16)


@pytest.fixture
def table(small):
    Source(small.competition.source, small.paths).get()
    return build_samples(small.competition, small.paths)


def run_scan(small, table, choices=None, with_appearance=False):
    return scan_images(small.competition, small.paths, table, choices, with_appearance)


def test_one_scan_measures_images_and_fills_store(small, table):
    facts, paths = small.competition, small.paths
    key = store_key(facts, paths, CHOICES)
    assert not store_exists(paths, key)
    assert run_scan(small, table, CHOICES, with_appearance=True).num_images == len(table)
    assert store_exists(paths, key)
    opened = load_store(paths, key)
    assert isinstance(opened.pixels, np.memmap)
    thumbnails = np.load(paths.thumbnails)
    known, seen = read_measurements(facts, paths), read_appearance(facts, paths)
    assert known["id"].tolist() == seen["id"].tolist() == table["id"].tolist()
    for row in range(0, len(table), 17):
        pixels = read_image(paths.raw, table["image"].iloc[row], facts.images)
        assert (opened.pixels[opened.rows_of(table["id"].iloc[[row]])[0]] == prepare_image(pixels, CHOICES)).all()
        image_hash, thumbnail = perceptual_hash.hash_and_thumbnail(pixels)
        assert (thumbnails[row] == thumbnail).all()
        assert seen.loc[row, ["row", "likeness"]].tolist() == [row, f"{image_hash:016x}"]
        assert known.loc[row, ["height", "width"]].tolist() == [128, 128]
        assert seen.loc[row, "mean"] == pytest.approx(pixels.mean(), abs=0.01)
        assert seen.loc[row, "dark"] == pytest.approx(np.percentile(pixels, 5), abs=1)
    assert run_scan(small, table, CHOICES, with_appearance=True).num_images == 0
    assert sorted(path.name for path in (paths.data / "store").iterdir()) == [key]
    assert sorted(path.name for path in paths.store(key).iterdir()) == ["blocks.json", "images.npy", "index.csv"]


def flip(path, row):
    """Flips one bit in a row of an array file."""
    array = np.load(path, mmap_mode="r+")
    array[row, 3, 3] ^= 1
    array.flush()


def test_store_rows_lost_on_disk_are_prepared_again(small, table, monkeypatch):
    key = store_key(small.competition, small.paths, CHOICES)

    def flip_a_bit_afterwards(function, items):
        yield from map_in_workers(function, items)
        flip(small.paths.unfinished_store(key) / "images.npy", 5)

    monkeypatch.setattr(scan, "map_in_workers", flip_a_bit_afterwards)
    with pytest.raises(UserError, match=f"1 of {len(table)} images .* disk"):
        run_scan(small, table, CHOICES)
    assert not store_exists(small.paths, key)
    monkeypatch.undo()
    assert run_scan(small, table, CHOICES).num_images == 1
    opened, pixels = (
        load_store(small.paths, key),
        read_image(small.paths.raw, table["image"].iloc[5], small.competition.images),
    )
    assert (opened.pixels[5] == prepare_image(pixels, CHOICES)).all()


def test_verify_store_refuses_changes_and_adds_missing_hashes(small, table):
    run_scan(small, table, CHOICES)
    key = store_key(small.competition, small.paths, CHOICES)
    folder = small.paths.store(key)
    assert verify_store(small.paths, key) == 16 * 16 * len(table)
    (folder / "blocks.json").rename(folder / "noted.json")
    verify_store(small.paths, key)
    assert (folder / "blocks.json").read_text() == (folder / "noted.json").read_text()
    flip(folder / "images.npy", 7)
    with pytest.raises(UserError, match=f"{len(table)} of {len(table)} prepared images .*changed"):
        verify_store(small.paths, key)
    (folder / "images.npy").write_bytes((folder / "images.npy").read_bytes()[:-1])
    with pytest.raises(UserError, match="not the array .*cut off.*make data"):
        verify_store(small.paths, key)


def test_hashes_are_of_pixels_not_files(small, table):
    run_scan(small, table)
    hashes = read_measurements(small.competition, small.paths).set_index("id")["hash"]
    same = {}
    for id, image in zip(table["id"], table["image"], strict=True):
        same.setdefault(read_image(small.paths.raw, image, small.competition.images).tobytes(), []).append(id)
    for ids in same.values():
        assert hashes[ids].nunique() == 1
    assert hashes.nunique() == len(same) < len(table)


def test_second_recipe_does_not_measure_again(small, table):
    run_scan(small, table, with_appearance=True)
    before = small.paths.measurements.stat().st_mtime_ns, small.paths.thumbnails.stat().st_mtime_ns
    assert run_scan(small, table, CHOICES, with_appearance=True).num_images == len(table)
    assert store_exists(small.paths, store_key(small.competition, small.paths, CHOICES))
    assert before == (small.paths.measurements.stat().st_mtime_ns, small.paths.thumbnails.stat().st_mtime_ns)


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


def test_store_key_depends_on_everything_that_changes_pixels(small, table):
    keys = {store_key(small.competition, small.paths, ImageSettings(size=size)) for size in (16, 24)}
    keys.add(store_key(small.competition, small.paths, ImageSettings(size=16, fit="pad")))
    keys.add(store_key(small.competition, small.paths, ImageSettings(size=16, steps=["clahe"])))
    for change in ({"channels": 3}, {"frame": "last"}, {"range": (0, 9)}):
        images = small.competition.images.model_copy(update=change)
        keys.add(
            store_key(small.competition.model_copy(update={"images": images}), small.paths, ImageSettings(size=16))
        )
    small.paths.raw_manifest.write_text(small.paths.raw_manifest.read_text() + "more.png,1\n")
    keys.add(store_key(small.competition, small.paths, ImageSettings(size=16)))
    assert len(keys) == 8


def damage(small, table, rows):
    for row in rows:
        (small.paths.raw / table["image"].iloc[row]).write_bytes(b"not a picture")


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


def test_too_many_bad_images_raise_after_listing_all(small, table):
    rows = list(range(0, 40, 4))
    kept = {row: (small.paths.raw / table["image"].iloc[row]).read_bytes() for row in rows}
    damage(small, table, rows)
    for _ in range(2):
        with pytest.raises(
            UserError, match=r"10 of \d+ images cannot be read, more than images.tolerate.*Download them again"
        ):
            run_scan(small, table, CHOICES)
    assert len(pd.read_csv(small.paths.bad_images)) == 10
    assert read_measurements(small.competition, small.paths) is None
    for row, content in kept.items():
        (small.paths.raw / table["image"].iloc[row]).write_bytes(content)
    assert run_scan(small, table, CHOICES).num_images == 10  # the others are not scanned again
    assert not small.paths.bad_images.exists()


def test_newly_damaged_image_raises_until_restored(small, table):
    run_scan(small, table)
    path = small.paths.raw / table["image"].iloc[7]
    content = path.read_bytes()
    damage(small, table, [7])
    for _ in range(2):
        with pytest.raises(UserError, match=f"1 image readable in the last scan cannot be read now: .*{path.name}"):
            run_scan(small, table, CHOICES)
    path.write_bytes(content)
    assert run_scan(small, table, CHOICES).num_images == 1


def test_image_of_unexpected_shape_is_bad(small, table):
    path = small.paths.raw / table["image"].iloc[0]
    cv2.imwrite(str(path), np.zeros((64, 128), np.uint8))
    run_scan(small, table)
    assert pd.read_csv(small.paths.bad_images)["reason"].tolist() == ["64x128 pixels, expected 128x128 (images.shape)"]


def crash_at_third_image(item, task):
    if item[0] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return scan_image(item, task)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_file_that_crashes_the_decoder_is_bad(small, table, monkeypatch):
    monkeypatch.setattr(scan, "scan_image", crash_at_third_image)
    run_scan(small, table, CHOICES)
    listed = pd.read_csv(small.paths.bad_images)
    assert listed[["id", "reason"]].to_numpy().tolist() == [[table["id"].iloc[2], scan.DECODER_CRASHED]]


def test_invalid_step_raises_before_any_image_is_read(small, table):
    with pytest.raises(UserError, match="crop_foregroud.*did you mean 'crop_foreground'"):
        run_scan(small, table, ImageSettings(size=16, steps=["crop_foregroud"]))
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
