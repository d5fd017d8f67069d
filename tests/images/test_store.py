"""The store of prepared images: its key, its hashes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medfold.competition import PreparationSettings
from medfold.images.store import finish_store, load_store, store_exists, store_key, verify_store
from medfold.system import array_files, files, json_files
from tests.support.helpers import refused
from tests.support.scans import CHOICES, flip, run_scan


def test_verify_store_refuses_changes_and_adds_missing_hashes(small, table):
    run_scan(small, table, CHOICES)
    key = store_key(small, CHOICES)
    folder = small.paths.store(key)
    assert verify_store(small.paths, key) == 16 * 16 * len(table)
    (folder / "blocks.json").rename(folder / "noted.json")
    verify_store(small.paths, key)
    assert (folder / "blocks.json").read_text() == (folder / "noted.json").read_text()
    flip(folder / "images.npy", 7)
    with refused(f"{len(table)} of {len(table)} prepared images .*changed"):
        verify_store(small.paths, key)
    (folder / "images.npy").write_bytes((folder / "images.npy").read_bytes()[:-1])
    for read in (verify_store, load_store):
        with refused("not the array .*cut off.*Remove the folder data/small/store/"):
            read(small.paths, key)


def test_changed_or_missing_index_of_a_store_is_refused(small, table):
    run_scan(small, table, CHOICES)
    key = store_key(small, CHOICES)
    index = small.paths.store(key) / "index.csv"
    text = index.read_text()
    index.write_text(text.replace(",0\n", ",1\n", 1))
    assert index.read_text() != text
    with refused("index.csv: missing, or changed since it was written"):
        verify_store(small.paths, key)
    index.write_text(text.replace("id", "name", 1))
    with refused("index.csv: not the table that was written.*Remove the folder data/small/store/"):
        load_store(small.paths, key)
    index.unlink()
    with refused("index.csv: missing, or changed since it was written"):
        verify_store(small.paths, key)


@pytest.mark.parametrize(("name", "read"), [("blocks.json", verify_store), ("index.csv", load_store)])
def test_file_of_a_store_that_cannot_be_read_is_made_again(small, table, name, read):
    run_scan(small, table, CHOICES)
    key = store_key(small, CHOICES)
    (small.paths.store(key) / name).write_bytes(b"\xff\xfe{")
    with refused(f"{name}: .*Remove the folder data/small/store/{key}, and run the same command again"):
        read(small.paths, key)


def test_store_key_depends_on_everything_that_changes_pixels(small, table):
    keys = {store_key(small, PreparationSettings(size=size)) for size in (16, 24)}
    keys.add(store_key(small, PreparationSettings(size=16, fit="pad")))
    keys.add(store_key(small, PreparationSettings(size=16, steps=["clahe"])))
    for change in ({"channels": 3}, {"frame": "last"}, {"range": (0, 9)}):
        images = small.facts.images.model_copy(update=change)
        changed = replace(small, facts=small.facts.model_copy(update={"images": images}))
        keys.add(store_key(changed, PreparationSettings(size=16)))
    small.paths.raw_manifest.write_text(small.paths.raw_manifest.read_text() + "more.png,1\n")
    keys.add(store_key(small, PreparationSettings(size=16)))
    json_files.write({"image_list_fingerprint": "of other ids"}, small.paths.image_list)
    keys.add(store_key(small, PreparationSettings(size=16)))
    assert len(keys) == 9


def test_store_is_on_the_disk_before_it_gets_its_name(small, tmp_path, monkeypatch):
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    pixels = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    np.save(unfinished / "images.npy", pixels)
    small.paths.store("key").parent.mkdir(parents=True)
    flushed = []

    def flush(path):
        if path.is_dir():
            flushed.append((path, sorted(each.name for each in path.iterdir()), store_exists(small.paths, "key")))

    monkeypatch.setattr(files, "flush_to_disk", flush)
    index = pd.DataFrame({"id": ["a", "b"], "row": [1, 0]})
    finish_store(small.paths, "key", unfinished, index, array_files.hash_blocks(pixels)[0])
    assert flushed == [(unfinished, ["blocks.json", "images.npy", "index.csv"], False)]
    opened = load_store(small.paths, "key")
    assert opened.rows_of(pd.Series(["b", "a"])).tolist() == [0, 1]
    assert (opened.pixels == pixels).all()
    assert verify_store(small.paths, "key") == pixels.nbytes


def test_hashes_of_another_form_are_refused(small, table):
    run_scan(small, table, CHOICES)
    key = store_key(small, CHOICES)
    hashes = small.paths.store(key) / "blocks.json"
    written = json_files.read(hashes)
    wrong_values = [("rows", "3"), ("rows_per_block", None), ("rows_per_block", 0)]
    for name, value in [*wrong_values, ("hashes", [1]), ("hashes", "ab"), ("hashes", [])]:
        json_files.write(written | {name: value}, hashes, sealed=True)
        with refused(r"blocks.json: the value of '.*' is missing or is not what medfold writes|prepared images lie in"):
            verify_store(small.paths, key)
