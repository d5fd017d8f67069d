"""The notebook that Kaggle runs: few cells that say what they do; all else is in the package."""

import json
from typing import Any

from medfold import __version__, files
from medfold.competition import Competition

HOURS = 8.5  # Kaggle stops a notebook after 9 hours

_ABOUT = """\
# {title}

A submission of trained folds, made with medfold {version}.

| | |
|---|---|
| runs | {runs} |
| out-of-fold score | {score} |
| kit | {mark} |

The data set that is attached holds what this notebook needs: the package, the trained folds, and how they are put
together. It needs no internet, no id and no number of test images: it predicts whatever test set it meets.

*For research and competitions, not for the diagnosis of patients.*"""

_INSTALL = """\
import subprocess
import sys
from pathlib import Path

INPUTS, WORKING = Path("/kaggle/input"), Path("/kaggle/working")
HOURS = {hours}  # that predicting may take; rather than longer, it does with fewer views and folds

kits = sorted([*INPUTS.glob("*/kit.json"), *INPUTS.glob("datasets/*/*/kit.json")])
assert kits, "attach the data set that holds kit.json"
KIT = kits[0].parent
install = "pip install --quiet --no-index --no-deps {packages} --find-links".split()
subprocess.run([sys.executable, "-m", *install, KIT], check=True)"""

_OPEN = """\
from medfold.notebooks import Kit

kit = Kit.open(KIT)
print(kit)"""

_PREDICT = """\
submission = kit.predict(INPUTS, WORKING / "submission.csv", HOURS)
submission.head()"""


def submission(competition: Competition, runs: list[str], score: str, mark: str, packages: dict[str, str]) -> str:
    """The notebook that predicts a hidden test set.

    Args:
        runs: their names.
        score: the OOF score in words.
        mark: of the kit that it is written for.
        packages: to install from the kit beside the package itself: name -> version.

    Returns:
        The text of an .ipynb file; equal arguments give equal texts.
    """
    named = [f"medfold=={__version__}", *(f"{name}=={number}" for name, number in packages.items())]
    about = _ABOUT.format(title=competition.title, version=__version__, runs=", ".join(runs), score=score, mark=mark)
    return _notebook(
        [
            _markdown(about),
            _code(_INSTALL.format(hours=HOURS, packages=" ".join(named))),
            _markdown("## What is in the kit"),
            _code(_OPEN),
            _markdown("## The submission"),
            _code(_PREDICT),
        ]
    )


def _notebook(cells: list[dict[str, Any]]) -> str:
    for cell in cells:
        cell["id"] = files.fingerprint([cell["cell_type"], cell["source"]], 8)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
