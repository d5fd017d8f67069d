"""What a scan of the images prints: their number, the store, and images that cannot be read."""

import pandas as pd
import pytest

from medfold.competition import PreparationSettings
from medfold.data import scanning
from medfold.images import ScanResult

TABLE = pd.DataFrame(
    {
        "id": [f"i{number}" for number in range(7)],
        "image": [f"train/i{number}.png" for number in range(7)],
        "part": ["train"] * 5 + ["test"] * 2,
    }
)


def measurements(*unreadable: int) -> pd.DataFrame:
    """Returns the measurements of `TABLE`, where these rows cannot be read."""
    reasons = [f"reason {row}" if row in unreadable else "" for row in range(len(TABLE))]
    return TABLE[["id"]].assign(unreadable_reason=reasons)


@pytest.fixture
def asked():
    """What each scan was asked to do."""
    return []


@pytest.fixture
def scan(small, monkeypatch, capsys, asked):
    """Returns a function that scans with a given result, and returns what it printed."""
    monkeypatch.setattr(scanning, "load_samples", lambda competition: TABLE)
    monkeypatch.setattr(scanning, "store_key", lambda *_: "0123abcd")

    def run(num_images: int, *unreadable: int, seconds: float = 0.5, settings=None, **options) -> str:
        result = ScanResult(num_images, seconds, measurements(*unreadable))
        monkeypatch.setattr(scanning, "scan_images", lambda *given: asked.append(given) or result)
        table, found = scanning.scan_dataset(small, settings, **options)
        assert table is TABLE
        assert found is result
        return capsys.readouterr().out

    return run


def test_number_and_time_of_scanned_images_are_printed(scan):
    assert scan(7) == "prepare    7 images scanned, 0 s\n"
    assert scan(4000, seconds=2) == "prepare    4,000 images scanned, 2 s, 2,000 a second\n"


def test_store_of_prepared_images_is_named(scan):
    printed = scan(1, settings=PreparationSettings(size=16))
    assert printed == "prepare    1 image at 16x16 px -> data/small/store/0123abcd, 0 s\n"


def test_nothing_is_printed_if_nothing_was_scanned(scan):
    assert scan(0) == ""
    assert scan(0, 2, 6) == ""


def test_settings_and_appearance_are_passed_on(scan, small, asked):
    settings = PreparationSettings(size=16)
    scan(0, settings=settings, with_appearance=True)
    assert asked[0][0] is small
    assert asked[0][2:] == (settings, True, None)


@pytest.mark.parametrize(
    ("unreadable", "expected"),
    [((2,), "1 training image cannot"), ((6,), "1 test image cannot"), ((1, 2, 6), "2 training and 1 test images")],
)
def test_unreadable_images_are_counted_by_part(scan, unreadable, expected):
    assert expected in scan(7, *unreadable)


def test_first_unreadable_images_are_listed_with_reasons_and_the_file_of_all(scan, small):
    lines = scan(7, 0, 2, 3, 4).splitlines()[1:]
    assert [line.strip() for line in lines[1:]] == [
        "train/i0.png: reason 0",
        "train/i2.png: reason 2",
        "train/i3.png: reason 3",
        f"all of them: data/small/{small.paths.unreadable_images.name}",
    ]
    assert "left out of training; a test image among them gets the mean of the training labels" in lines[0]


def test_warning_of_images_of_another_shape_does_not_call_them_unreadable(small, capsys):
    reason = "8x9 pixels, expected 8x8 (images.expected_shape)"
    scanning.warn_of_unreadable(small, TABLE, measurements().assign(unreadable_reason=[reason] + [""] * 6))
    assert "1 training image cannot be used: left out of training" in capsys.readouterr().out
