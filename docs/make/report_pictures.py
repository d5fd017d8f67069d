"""The pictures of a report in docs/, from a real one: `python docs/make/report_pictures.py path/to/report.html`.

- report-desktop.png: the score, the curves and some heat maps on a desktop;
- report-phone.png: the first two screens of a phone;
- report-dark.png: the first screen of a desktop where the reader asks for dark pages.

It needs chromium and chromedriver on the PATH, as the tests of the report do.
"""

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

DOCS = Path(__file__).parents[1]
sys.path.insert(0, str(DOCS.parent))  # the browser of the tests

from tests.support.browser import Page, missing  # noqa: E402

LIMIT = 250_000  # bytes: a README is read on a train, too
DESKTOP = {"width": 1280, "height": 900}
PARTS = {"body": 290, "#performance": 500, "#images": 570}  # of report-desktop.png: CSS pixels from an element's top on
PICTURES = {
    "report-phone.png": ({"width": 390, "height": 844, "touch": True}, 2),
    "report-dark.png": ({**DESKTOP, "dark": True}, 1),
}


def compressed(picture: Image.Image, limit: int = LIMIT) -> bytes:
    """A PNG below the limit: fewer colours, then fewer pixels, as radiographs of few greys look like maps."""
    for scale in (1, 0.75, 0.5):
        size = (round(picture.width * scale), round(picture.height * scale))
        smaller = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        for colours in (256, 128, 64):
            file = io.BytesIO()
            smaller.quantize(colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)  # dots spoil text
            if file.tell() <= limit:
                return file.getvalue()
    sys.exit(f"a picture of {picture.width} x {picture.height} stays above {limit / 1000:.0f} kB")


def write(name: str, picture: Image.Image) -> None:
    """Writes a picture of docs/, compressed."""
    content = compressed(picture)
    (DOCS / name).write_bytes(content)
    print(f"{name} {len(content) / 1000:.0f} kB")


def best_parts(page: Page, file: Path) -> Image.Image:
    """The PARTS of the page, one below the other."""
    page.screenshot(file)
    whole = Image.open(file).convert("RGB")
    stacked = Image.new("RGB", (whole.width, sum(PARTS.values())))
    below = 0
    for css, height in PARTS.items():
        top = round(page.evaluate(f"document.querySelector('{css}').getBoundingClientRect().top + scrollY"))
        stacked.paste(whole.crop((0, top, whole.width, top + height)), (0, below))
        below += height
    return stacked


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/make/report_pictures.py path/to/report.html")
    if lack := missing():
        sys.exit(lack)
    with TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        for name, (device, screens) in PICTURES.items():
            with Page.open(sys.argv[1], **device) as page:
                page.screenshot(shot, full=False, screens=screens)
                if wrong := page.errors + page.outside:
                    sys.exit(f"{sys.argv[1]} is not sound: {wrong[0]}")
            write(name, Image.open(shot))
        with Page.open(sys.argv[1], **DESKTOP) as page:
            write("report-desktop.png", best_parts(page, shot))


if __name__ == "__main__":
    main()
