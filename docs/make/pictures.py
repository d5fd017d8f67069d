"""The pictures of docs/, made from real output: `make pictures`, after `make demo`.

- phantom-chest.jpg: a contact sheet of the embedded competition, nodules ringed in a second copy of their row;
- demo.svg: what `make demo` printed, long lines cut, and folds 1 to 4 left out, if its output is given:
  make demo | tee demo.txt; make pictures RECORDING=demo.txt
"""

import io
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).parents[1]
DATA = DOCS.parent / "data" / "phantom-chest"
ACROSS = 8
COLUMNS = 100  # of the recording
OMITTED = " " * 11 + "..."


def contact_sheet() -> np.ndarray:
    """Rows of training images: with a nodule, the same ones with the nodule ringed, without a nodule."""
    train = pd.read_csv(DATA / "raw" / "train.csv").drop_duplicates("patient_id")
    nodules = pd.read_csv(DATA / "solution" / "nodules.csv").set_index("id")
    ill = train.loc[train["target"].eq(1) & train["id"].isin(nodules.index), "id"].head(ACROSS)
    well = train.loc[train["target"].eq(0), "id"].head(2 * ACROSS)

    def row(ids: pd.Series, ringed: bool) -> np.ndarray:
        tiles = []
        for id in ids:
            tile = cv2.resize(cv2.imread(str(DATA / "raw" / "train" / f"{id}.png")), None, fx=1.25, fy=1.25)
            if ringed:
                place = nodules.loc[id]
                centre = (round(place["x"] * 1.25), round(place["y"] * 1.25))
                cv2.circle(tile, centre, round(place["radius"] * 1.25) + 6, (60, 200, 255), 1, cv2.LINE_AA)
            tiles.append(cv2.copyMakeBorder(tile, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
        return np.hstack(tiles)

    return np.vstack([row(ill, False), row(ill, True), row(well[:ACROSS], False), row(well[ACROSS:], False)])


def shortened(lines: list[str]) -> list[str]:
    """The lines without those of the folds after fold 0, which look alike; `...` stands where some are left out."""
    kept: list[str] = []
    for line in lines:
        if not re.match(r"fold [1-9]| {11} {3}[1-9] ", line):
            kept.append(line)
        elif kept[-1] != OMITTED:
            kept.append(OMITTED)
    # Folds are trained side by side: what is left out is marked after the last line of fold 0 alone.
    following = [*kept[1:], ""]
    return [line for line, after in zip(kept, following, strict=True) if line != OMITTED or after[:6] != "fold 0"]


def recording(lines: list[str]) -> str:
    """Terminal output as an SVG, the stage names coloured as on a terminal."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text("$ make demo", style="bold"))
    for line in shortened(lines):
        text = Text(line if len(line) <= COLUMNS else f"{line[: COLUMNS - 4].rstrip()} ...")
        text.stylize("bold cyan", 0, 11)  # the stage
        console.print(text)
    svg = console.export_svg(title="medfold")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # rich would fetch its font from the network


def main() -> None:
    cv2.imwrite(str(DOCS / "phantom-chest.jpg"), contact_sheet(), [cv2.IMWRITE_JPEG_QUALITY, 85])
    if len(sys.argv) > 1:
        lines = Path(sys.argv[1]).read_text().splitlines()
        (DOCS / "demo.svg").write_text(recording(lines))


if __name__ == "__main__":
    main()
