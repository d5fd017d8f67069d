"""The scan of one image, in a worker."""

from medfold.images.formats.decoding import read_image
from medfold.images.scan_tables import read_measurements
from tests.support.scans import run_scan


def test_hashes_are_of_pixels_not_files(small, table):
    run_scan(small, table)
    hashes = read_measurements(small.competition, small.paths).set_index("id")["pixel_hash"]
    same = {}
    for id, image in zip(table["id"], table["image"], strict=True):
        same.setdefault(read_image(small.paths.raw, image, small.competition.images).tobytes(), []).append(id)
    for ids in same.values():
        assert hashes[ids].nunique() == 1
    assert hashes.nunique() == len(same) < len(table)
