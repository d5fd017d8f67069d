"""Images side by side with a line or two under each, as one picture."""

import unicodedata
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from medfold import files
from medfold.images.heat_map import to_displayable

SIDE = 176  # px of an image
LINE = 14  # px of a line of text
GAP = 8
ACROSS = 3  # rows of images side by side
LETTERS = 11  # px


Row = list[tuple[np.ndarray, list[str]]]


def write_contact_sheet(rows: list[Row], path: Path) -> int:
    """Draws rows of images, three side by side, and writes a JPEG.

    Args:
        rows: as `draw` takes them.
        path: of the file.

    Returns:
        How many lines hold letters that no font of this machine has, written as codes.
    """
    with files.atomic_write(path) as temporary:
        Image.fromarray(draw_contact_sheet(rows, min(ACROSS, len(rows)))).save(temporary, format="JPEG", quality=90)
    return sum(_drawable(line)[0] != line for row in rows for _, lines in row for line in lines)


def draw_contact_sheet(rows: list[Row], across: int) -> np.ndarray:
    """Rows of images, each image with its lines.

    Args:
        rows: of (uint8 (height, width, channels), lines of text).
        across: rows that stand side by side.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    longest, lines = max(map(len, rows)), max(len(text) for row in rows for _, text in row)
    cell = SIDE + GAP, SIDE + lines * LINE + GAP
    block = longest * cell[0] + 2 * GAP
    sheet = Image.new("RGB", (across * block, -(-len(rows) // across) * cell[1] + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        left, top = number % across * block + GAP, number // across * cell[1] + GAP
        for column, (pixels, text) in enumerate(row):
            x = left + column * cell[0]
            small = thumbnail(pixels, SIDE)
            square = np.zeros((SIDE, SIDE, 3), np.uint8)
            square[: small.shape[0], : small.shape[1]] = small
            sheet.paste(Image.fromarray(square), (x, top))
            for line, words in enumerate(text):
                words, font = _drawable(words)
                draw.text((x, top + SIDE + line * LINE), _cut(words, font), fill="black", font=font)
    return np.asarray(sheet)


def thumbnail(pixels: np.ndarray, longest: int) -> np.ndarray:
    """An image made as large as a sheet shows it.

    Args:
        pixels: uint8 (height, width, channels).
        longest: px, its longer side.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    height, width, _ = pixels.shape
    scale = longest / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(to_displayable(pixels), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)


def _drawable(words: str) -> tuple[str, ImageFont.FreeTypeFont]:
    """A line, and a font that has all of its letters; where there is none, those that lack are written as codes."""
    if words.isascii():
        return words, ImageFont.load_default(LETTERS)
    path, had = _font(frozenset(words))
    # A code such as \u4e2d can be looked up; an empty box says nothing.
    text = "".join(each if each in had else each.encode("ascii", "backslashreplace").decode() for each in words)
    return text, ImageFont.truetype(path, LETTERS)


@cache
def _font(letters: frozenset[str]) -> tuple[str, frozenset[str]]:
    """The first font that has all the letters, else the one with most of them; and which of them it has.

    DejaVu Sans, which comes with matplotlib, is the first: it has Latin, Greek, Cyrillic, Hebrew and Arabic.
    """
    from matplotlib import font_manager, get_data_path
    from matplotlib.ft2font import FT2Font

    shaped = letters
    if not features.check("raqm"):  # without it letters stand from left to right, unjoined
        shaped = frozenset(each for each in letters if unicodedata.bidirectional(each) not in ("R", "AL"))
    best, had = str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), frozenset()
    others = sorted(each.fname for each in font_manager.fontManager.ttflist if "LastResort" not in each.fname)
    for path in (best, *others):
        font = FT2Font(path)
        known = font.get_charmap() if font.scalable else {}  # pictures of one size cannot be drawn in ours
        here = frozenset(each for each in shaped if ord(each) in known)
        if len(here) > len(had):
            best, had = path, here
        if had == letters:
            break
    return best, had


def _cut(words: str, font: ImageFont.FreeTypeFont) -> str:
    while font.getlength(words) > SIDE and len(words) > 4:
        words = f"{words[:-4]}..."
    return words
