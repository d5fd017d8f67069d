"""Contact sheet: images side by side in one picture, with lines of text below each."""

import unicodedata
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from medfold.images.heat_map import to_displayable
from medfold.images.resizing import fit_within
from medfold.system import files

IMAGE_SIDE = 176  # px, longest side of an image
LINE_HEIGHT = 14  # px
GAP = 8  # px
MAX_ROWS_SIDE_BY_SIDE = 3  # rows of images next to each other; further ones are drawn below
FONT_SIZE = 11  # px

Row = list[tuple[np.ndarray, list[str]]]


def write_contact_sheet(rows: list[Row], path: Path) -> int:
    """Draws rows of images, up to three rows side by side, and writes them as JPEG.

    Args:
        rows: rows of pairs: uint8 pixels (height, width, channels), and the lines of text below the image.
        path: path of the JPEG file.

    Returns:
        The number of lines in which letters are written as codes, because no font of this machine has them.
    """
    with files.atomic_write(path) as temporary:
        Image.fromarray(draw_contact_sheet(rows, min(MAX_ROWS_SIDE_BY_SIDE, len(rows)))).save(
            temporary, format="JPEG", quality=90
        )
    return sum(_drawable(line)[0] != line for row in rows for _, lines in row for line in lines)


def draw_contact_sheet(rows: list[Row], num_side_by_side: int) -> np.ndarray:
    """Draws rows of images with lines of text below each image.

    Args:
        rows: rows of pairs: uint8 pixels (height, width, channels), and the lines of text.
        num_side_by_side: number of rows side by side.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    images_per_row = max(map(len, rows))
    num_lines = max(len(text) for row in rows for _, text in row)
    cell = IMAGE_SIDE + GAP, IMAGE_SIDE + num_lines * LINE_HEIGHT + GAP
    block = images_per_row * cell[0] + 2 * GAP
    sheet = Image.new("RGB", (num_side_by_side * block, -(-len(rows) // num_side_by_side) * cell[1] + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        left, top = number % num_side_by_side * block + GAP, number // num_side_by_side * cell[1] + GAP
        for column, (pixels, text) in enumerate(row):
            x = left + column * cell[0]
            small = thumbnail(pixels, IMAGE_SIDE)
            square = np.zeros((IMAGE_SIDE, IMAGE_SIDE, 3), np.uint8)
            square[: small.shape[0], : small.shape[1]] = small
            sheet.paste(Image.fromarray(square), (x, top))
            for position, line in enumerate(text):
                line, font = _drawable(line)
                draw.text(
                    (x, top + IMAGE_SIDE + position * LINE_HEIGHT), _shortened(line, font), fill="black", font=font
                )
    return np.asarray(sheet)


def thumbnail(pixels: np.ndarray, longest_side: int) -> np.ndarray:
    """Resizes an image to a given longest side and converts it to RGB.

    Args:
        pixels: uint8 (height, width, channels).
        longest_side: longest side of the result, in pixels.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    height, width = fit_within(*pixels.shape[:2], longest_side)
    method = cv2.INTER_AREA if longest_side < max(pixels.shape[:2]) else cv2.INTER_NEAREST
    return cv2.resize(to_displayable(pixels), (width, height), interpolation=method)


def _drawable(line: str) -> tuple[str, ImageFont.FreeTypeFont]:
    """Returns a line and the font to draw it with; letters that no font has are replaced by their codes."""
    if line.isascii():
        return line, ImageFont.load_default(FONT_SIZE)
    path, available = _find_font(frozenset(line), _installed_fonts())
    # A code such as \u4e2d can be searched for; an empty box cannot.
    text = "".join(char if char in available else char.encode("ascii", "backslashreplace").decode() for char in line)
    return text, ImageFont.truetype(path, FONT_SIZE)


def _installed_fonts() -> tuple[str, ...]:
    """Returns the paths of all fonts.

    DejaVu Sans comes first: it is part of matplotlib and has Latin, Greek, Cyrillic, Hebrew and Arabic.
    """
    from matplotlib import font_manager, get_data_path

    others = sorted(font.fname for font in font_manager.fontManager.ttflist if "LastResort" not in font.fname)
    return (str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), *others)


@cache
def _find_font(letters: frozenset[str], fonts: tuple[str, ...]) -> tuple[str, frozenset[str]]:
    """Returns the path of the first font that has all letters, or else most of them; and the letters that it has."""
    from matplotlib.ft2font import FT2Font

    shaped = letters
    if not features.check("raqm"):  # needed for right-to-left and joined letters
        shaped = frozenset(char for char in letters if unicodedata.bidirectional(char) not in ("R", "AL"))
    best, covered = fonts[0], frozenset()
    for path in fonts:
        font = FT2Font(path)
        known = font.get_charmap() if font.scalable else {}  # bitmap fonts have other sizes than FONT_SIZE
        matches = frozenset(char for char in shaped if ord(char) in known)
        if len(matches) > len(covered):
            best, covered = path, matches
        if covered == letters:
            break
    return best, covered


def _shortened(line: str, font: ImageFont.FreeTypeFont) -> str:
    while font.getlength(line) > IMAGE_SIDE and len(line) > 4:
        line = f"{line[:-4]}..."
    return line
