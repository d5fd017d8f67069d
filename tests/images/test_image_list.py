"""The fingerprint of all images: made from ids and paths, and read from beside the sample table."""

import pandas as pd

from medfold.images.image_list import image_list_fingerprint, read_image_list_fingerprint
from medfold.system import json_files
from tests.support.helpers import refused

SAMPLES = pd.DataFrame({"id": ["a", "b"], "image": ["train/a.png", "train/b.png"], "target": [0, 1]})


def test_fingerprint_depends_on_ids_and_paths_alone():
    first = image_list_fingerprint(SAMPLES)
    assert image_list_fingerprint(SAMPLES.assign(target=1)) == first
    others = [SAMPLES.assign(id=["a", "c"]), SAMPLES.assign(image=["train/a.png", "test/b.png"]), SAMPLES.iloc[::-1]]
    assert len({first, *map(image_list_fingerprint, others)}) == 4


def test_noted_fingerprint_is_read_also_under_its_former_name(small):
    with refused(r"samples\.csv: no sample table\. Run: make download COMPETITION=small"):
        read_image_list_fingerprint(small.paths)
    for name in ("image_list_fingerprint", "images"):
        json_files.write({name: "0f"}, small.paths.samples_metadata)
        assert read_image_list_fingerprint(small.paths) == "0f"
