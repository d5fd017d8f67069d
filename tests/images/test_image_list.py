"""The fingerprint of all images: made from ids and paths, written and read, also where earlier versions noted it."""

import pandas as pd
import pytest

from medfold.competition import PreparationSettings
from medfold.data import samples_are_fresh
from medfold.images import store_key
from medfold.images.image_list import read_image_list_fingerprint, write_image_list_fingerprint
from medfold.images.scan_tables import raw_images_fingerprint
from medfold.system import json_files
from tests.support.helpers import refused

SAMPLES = pd.DataFrame({"id": ["a", "b"], "image": ["train/a.png", "train/b.png"], "target": [0, 1]})


def test_fingerprint_depends_on_ids_and_paths_alone(small):
    def fingerprint(samples):
        write_image_list_fingerprint(small.paths, samples)
        return read_image_list_fingerprint(small.paths)

    first = fingerprint(SAMPLES)
    assert fingerprint(SAMPLES.assign(target=1)) == first
    others = [SAMPLES.assign(id=["a", "c"]), SAMPLES.assign(image=["train/a.png", "test/b.png"]), SAMPLES.iloc[::-1]]
    assert len({first, *map(fingerprint, others)}) == 4


def test_without_a_noted_fingerprint_there_is_no_sample_table(small):
    with refused(r"samples\.csv: no sample table\. Run: make download COMPETITION=small"):
        read_image_list_fingerprint(small.paths)
    json_files.write({"inputs_fingerprint": "0f"}, small.paths.samples_metadata)
    with refused(r"samples\.csv: no sample table\. Run: make download COMPETITION=small"):
        read_image_list_fingerprint(small.paths)


@pytest.mark.parametrize("name", ["image_list_fingerprint", "images"])
def test_fingerprint_in_samples_json_of_an_earlier_version_is_read(small, table, name):
    """A project of an earlier version keeps its stores and measurements: their keys and fingerprints stay the same."""
    preparation = PreparationSettings(size=16)
    keys = store_key(small, preparation), raw_images_fingerprint(small)
    metadata = json_files.read(small.paths.samples_metadata)
    metadata["files"].pop("image_list.json")
    former = {**metadata, name: read_image_list_fingerprint(small.paths)}
    json_files.write(former, small.paths.samples_metadata, sealed=True)
    small.paths.image_list.unlink()
    assert samples_are_fresh(small.facts, small.paths)
    assert (store_key(small, preparation), raw_images_fingerprint(small)) == keys
    assert not small.paths.image_list.exists()
