"""Contact sheets: layout, and captions in any script: drawn in a font that has their letters, or as codes."""

import cv2
import numpy as np
import pytest
from matplotlib import font_manager

from medfold.images.contact_sheet import draw_contact_sheet, write_contact_sheet

IMAGE = np.full((40, 30, 1), 128, np.uint8)


@pytest.fixture(autouse=True)
def only_matplotlib_fonts(monkeypatch):
    """Hides the fonts that are installed on this machine."""
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])


def drawn(*lines: str) -> np.ndarray:
    return draw_contact_sheet([[(IMAGE, list(lines))]], 1)


@pytest.fixture
def num_with_codes(tmp_path):
    """Returns a function: how many of some lines have letters that no font has."""
    return lambda *lines: write_contact_sheet([[(IMAGE, list(lines))]], tmp_path / "lines.jpg")


def test_sheet_shows_image_above_its_caption():
    sheet = drawn("a", "b")
    assert sheet.shape == (8 + 176 + 28 + 8, 16 + 184, 3)
    assert sheet[8 + 88, 8 + 66].tolist() == [128] * 3  # as high as the cell, three quarters as wide
    assert sheet[8 + 88, 8 + 140].tolist() == [0] * 3
    assert sheet[184:].min() < 100


@pytest.mark.parametrize(("one", "other"), [("שפיר", "ממאי"), ("ورم", "سرط"), ("рак", "нет")])
def test_non_latin_captions_are_drawn_with_distinct_glyphs(num_with_codes, one, other):
    assert num_with_codes(one, other) == 0
    assert (drawn(one) != drawn(other)).any()


def test_letters_without_a_font_are_written_as_codes(tmp_path):
    np.testing.assert_array_equal(drawn("id_恶 שפיר"), drawn("id_\\u6076 שפיר"))
    path = tmp_path / "sheet.jpg"
    rows = [[(IMAGE, ["恶性_1", "fold 1"]), (IMAGE, ["恶性_2", "fold 0, 恶"])], [(IMAGE, ["שפיר", "x"])]]
    assert write_contact_sheet(rows, path) == 3
    assert cv2.imread(str(path)).shape[1] == 2 * (2 * 184 + 16)
    assert write_contact_sheet(rows[1:], path) == 0


def test_font_covering_most_letters_is_chosen(num_with_codes, monkeypatch):
    """STIX, which comes with matplotlib too, has mathematical letters that DejaVu Sans lacks."""
    letter = "\U0001d4d0"
    assert num_with_codes(letter, f"é{letter}", "é") == 2
    monkeypatch.undo()
    shipped = [each for each in font_manager.fontManager.ttflist if each.name == "STIXGeneral"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", shipped)
    assert num_with_codes(letter, f"é{letter}") == 0


def test_long_captions_are_truncated(num_with_codes):
    assert (drawn("x" * 100)[184:] != drawn("x" * 200)[184:]).sum() == 0
    assert num_with_codes("a" * 100) == 0
