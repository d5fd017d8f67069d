"""The page of the report: its sections, cards and notes, rendered as one HTML file."""

import base64
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from importlib.resources import files as resources
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape

from medfold.report.drawing import Drawing, title_attribute

JPEG_QUALITY = 82  # on the scale of OpenCV, 0 to 100
MAX_ROWS = 14  # classes or labels in a table or list


@dataclass(frozen=True)
class Card:
    """A headline number.

    Args:
        title: the name of the number.
        value: the number as text.
        text: a remark below it. Defaults to none.
    """

    title: str
    value: str
    text: str = ""


@dataclass(frozen=True)
class Tile:
    """An image of a gallery.

    Args:
        picture: data URL of the picture in the gallery, with the heat map if there is one.
        raw_picture: data URL of the image alone.
        text: the caption.
        map_description: description of the heat map; '' without one.
    """

    picture: str
    raw_picture: str
    text: str
    map_description: str = ""


@dataclass
class Section:
    """A section of the page, whose parts are shown in the order in which they are added.

    Args:
        name: id on the page.
        title: the heading.
        summary: what `make report` prints about the section. Defaults to nothing.
        parts: added by the methods below.
    """

    name: str
    title: str
    summary: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list)

    def text(self, text: str) -> None:
        """Adds a paragraph."""
        self.parts.append({"kind": "text", "text": text})

    def heading(self, text: str) -> None:
        """Adds a subheading."""
        self.parts.append({"kind": "heading", "text": text})

    def list(self, items: Sequence[str]) -> None:
        """Adds a bulleted list."""
        self.parts.append({"kind": "list", "content": list(items)})

    def code(self, text: str) -> None:
        """Adds lines of code."""
        self.parts.append({"kind": "code", "text": text})

    def table(
        self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[object]], marked: Collection[int] = ()
    ) -> None:
        """Adds a table; columns of numbers are aligned to the right, marked rows are highlighted.

        Args:
            caption: text above the table.
            columns: headings of the columns.
            rows: the cells, shown as text.
            marked: numbers of the highlighted rows. Defaults to none.
        """
        rows = [[str(cell) for cell in row] for row in rows]
        numeric = [
            number
            for number in range(1, len(columns))
            if rows and all(row[number].strip("-+.,%0123456789 ()to") == "" for row in rows)
        ]
        self.parts.append(
            {
                "kind": "table",
                "caption": caption,
                "columns": list(columns),
                "rows": rows,
                "numeric": numeric,
                "marked": list(marked),
            }
        )

    def figures(self, drawings: Sequence[Drawing]) -> None:
        """Adds figures side by side; nothing if there are none."""
        if drawings:
            self.parts.append({"kind": "figures", "content": list(drawings)})

    def gallery(self, title: str, text: str, tiles: Sequence[Tile]) -> None:
        """Adds images that are enlarged on a click."""
        self.parts.append({"kind": "gallery", "title": title, "text": text, "content": list(tiles)})


@dataclass
class Page:
    """The content of the page.

    Args:
        name: the name of the run, for the title of the window.
        title: first heading of the page.
        subtitle: line below it.
        cards: headline numbers, the score first.
        notes: warnings above all sections.
        sections: the sections, from top to bottom.
        footer: the last line.
    """

    name: str
    title: str
    subtitle: str
    cards: list[Card]
    notes: list[str]
    sections: list[Section]
    footer: str

    @property
    def has_gallery(self) -> bool:
        """True if any section has a gallery, which needs the dialog."""
        return any(part["kind"] == "gallery" for section in self.sections for part in section.parts)


def render(page: Page) -> str:
    """Renders the page as one HTML file that loads nothing else."""
    environment = Environment(
        loader=PackageLoader("medfold.report", "."),
        autoescape=select_autoescape(default_for_string=True, default=True),
        trim_blocks=False,
    )
    environment.filters["title_attribute"] = title_attribute
    folder = resources("medfold.report")
    css, js = ((folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return environment.get_template("page.html.j2").render(page=page, css=css, js=js, js_source=_source_of(js))


def _source_of(script: str) -> str:
    """Returns a script as the page's Content-Security-Policy names it: by its hash, so that no other one runs."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def jpeg(pixels: np.ndarray) -> str:
    """Encodes a picture as a data URL.

    Args:
        pixels: uint8 (height, width, 3), RGB.

    Raises:
        ValueError: pixels that cannot be written as JPEG.
    """
    is_encoded, data = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    if not is_encoded:
        raise ValueError(f"cannot be written as JPEG: {pixels.shape}")
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")


def plural(word: str, items: list[str]) -> str:
    """Returns the word, with an s if there are several items."""
    return f"{word}s" if len(items) > 1 else word


def percentage(value: float) -> str:
    """Formats a share as a percentage; '' for nan."""
    return "" if np.isnan(value) else f"{value:.1%}"
