"""Images side by side with a line or two under each, as one picture."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medfold import files

SIDE = 176  # px of an image
LINE = 14  # px of a line of text
GAP = 8
ACROSS = 3  # rows of images side by side


Row = list[tuple[np.ndarray, list[str]]]


def write_contact_sheet(rows: list[Row], path: Path) -> None:
    """Draws rows of images, three side by side, and writes a JPEG.

    Args:
        rows: as `draw` takes them.
        path: of the file.
    """
    with files.whole(path) as temporary:
        Image.fromarray(draw_contact_sheet(rows, min(ACROSS, len(rows)))).save(temporary, format="JPEG", quality=90)


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
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for number, row in enumerate(rows):
        left, top = number % across * block + GAP, number // across * cell[1] + GAP
        for column, (pixels, text) in enumerate(row):
            x = left + column * cell[0]
            sheet.paste(Image.fromarray(_thumbnail(pixels)), (x, top))
            for line, words in enumerate(text):
                draw.text((x, top + SIDE + line * LINE), _cut(words, font), fill="black", font=font)
    return np.asarray(sheet)


def _thumbnail(pixels: np.ndarray) -> np.ndarray:
    height, width, channels = pixels.shape
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    colour = pixels[..., :3] if channels >= 3 else np.repeat(pixels[..., :1], 3, axis=2)
    shown = cv2.resize(
        np.ascontiguousarray(colour), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    )
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[: size[1], : size[0]] = shown
    return square


def _cut(words: str, font: ImageFont.FreeTypeFont) -> str:
    while font.getlength(words) > SIDE and len(words) > 4:
        words = f"{words[:-4]}..."
    return words
