"""The page: what stands on it, and how it becomes one HTML file."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from importlib.resources import files as resources
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape

from medfold.report.drawing import Drawing, full_text

QUALITY = 82  # of JPEG


@dataclass(frozen=True)
class Card:
    """A figure of the headline."""

    title: str
    value: str
    text: str = ""


@dataclass(frozen=True)
class Tile:
    """An image of a gallery.

    Args:
        shown: what the gallery shows, a data address.
        plain: the image itself.
        text: what it is.
        map: what the overlay is; '' without one.
    """

    shown: str
    plain: str
    text: str
    map: str = ""


@dataclass
class Section:
    """A section: its parts in order."""

    name: str
    title: str
    parts: list[dict[str, Any]] = field(default_factory=list)

    def text(self, text: str) -> None:
        self.parts.append({"kind": "text", "text": text})

    def heading(self, text: str) -> None:
        self.parts.append({"kind": "heading", "text": text})

    def list(self, items: Sequence[str]) -> None:
        self.parts.append({"kind": "list", "content": list(items)})

    def code(self, text: str) -> None:
        self.parts.append({"kind": "code", "text": text})

    def table(
        self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[object]], marked: Collection[int] = ()
    ) -> None:
        """A table; columns of numbers to the right, marked rows stand out."""
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
        if drawings:
            self.parts.append({"kind": "figures", "content": list(drawings)})

    def gallery(self, title: str, text: str, tiles: Sequence[Tile]) -> None:
        self.parts.append({"kind": "gallery", "title": title, "text": text, "content": list(tiles)})


@dataclass
class Page:
    """A page.

    Args:
        name: of the run, for the title of the window.
        title, subtitle: of the page.
        cards: the headline, the score first.
        notes: what must not be overlooked.
        sections: in order.
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
        return any(part["kind"] == "gallery" for section in self.sections for part in section.parts)


def render(page: Page) -> str:
    """The page as one HTML file that asks for nothing else."""
    environment = Environment(
        loader=PackageLoader("medfold.report", "."),
        autoescape=select_autoescape(default_for_string=True, default=True),
        trim_blocks=False,
    )
    environment.filters["full_text"] = full_text
    here = resources("medfold.report")
    css, js = ((here / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return environment.get_template("page.html.j2").render(page=page, css=css, js=js)


def jpeg(pixels: np.ndarray) -> str:
    """A picture as an address that holds all of it.

    Args:
        pixels: uint8 (height, width, 3), RGB.
    """
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"cannot be written as JPEG: {pixels.shape}")
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")


def plural(word: str, items: list[str]) -> str:
    return f"{word}s" if len(items) > 1 else word


def share(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.1%}"


ROWS = 14  # of a table of classes
