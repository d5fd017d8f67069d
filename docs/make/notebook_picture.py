"""notebook.png in docs/: the notebook that submits phantom-chest, packed, executed and rendered.

It needs the folds of `make demo`, and chromium and chromedriver on the PATH. The notebook runs as in the tests: in a
fresh virtual environment, in a folder that looks like Kaggle's, without network.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from nbconvert import HTMLExporter
from PIL import Image
from report_pictures import DOCS, compressed

from medfold.commands.notebook import notebook
from medfold.competition.competition import Competition
from tests.support import kaggle_image
from tests.support.browser import Page, missing


def main() -> None:
    if lack := missing():
        sys.exit(lack)
    competition = Competition.open("phantom-chest")
    packed = notebook(competition, ["baseline"])
    with TemporaryDirectory() as folder:
        place = Path(folder)
        python = kaggle_image.make(place / "venv")
        kaggle_image.attach(place / "kaggle", "new", "phantom-chest", competition.paths.raw, packed.folder)
        kaggle_image.run(packed.notebook, python, place / "kaggle")
        page, shot = place / "notebook.html", place / "shot.png"
        text, _ = HTMLExporter().from_filename(str(place / "kaggle" / "executed.ipynb"))
        page.write_text(text.replace(str(place / "kaggle"), "/kaggle"), encoding="utf-8")
        with Page.open(page, width=1000, height=600) as opened:
            opened.screenshot(shot)
        content = compressed(Image.open(shot))
    (DOCS / "notebook.png").write_bytes(content)
    print(f"notebook.png {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
