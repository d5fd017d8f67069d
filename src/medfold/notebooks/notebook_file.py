"""The notebook that Kaggle runs: few cells that say what they do; all else is in the package."""

import json
from pathlib import Path
from typing import Any

from medfold import __version__, files
from medfold.competition import Competition
from medfold.kaggle import manifest_id

HOURS = 8.5  # Kaggle stops a notebook that is submitted after 9 hours
TRAINING_HOURS = 11  # and any other one after 12

_SUBMISSION = """\
# {title}

A submission of trained folds, made with medfold {version}.

| | |
|---|---|
| runs | {runs} |
| out-of-fold score | {score} |
| bundle | {mark} |

The data set that is attached holds what this notebook needs: the package, the trained folds, and how they are put
together. It needs no internet, no id and no number of test images: it predicts whatever test set it meets.

*For research and competitions, not for the diagnosis of patients.*"""

_TRAINING = """\
# {title}

Folds of a run, trained by medfold {version}.

| | |
|---|---|
| run | {run} |
| folds | {folds} |
| bundle | {mark} |

The data set that is attached holds what this notebook needs: the package, the recipe, the folds table, and where
trainings stand that were begun before. What comes of it is one file, `trained.zip`.

*For research and competitions, not for the diagnosis of patients.*"""

_INSTALL = """\
import hashlib
import subprocess
import sys
from pathlib import Path

INPUTS, WORKING = Path("/kaggle/input"), Path("/kaggle/working")
HOURS = {hours}  # {why}

found = [*INPUTS.glob("*/{label}"), *INPUTS.glob("datasets/*/*/{label}")]
found = [path for path in found if hashlib.sha256(path.read_bytes()).hexdigest().startswith("{contents}")]
assert found, "attach the version of the data set whose {label} has a hash that begins with {contents}"
BUNDLE = found[0].parent
install = "pip install --quiet --no-index --no-deps {packages} --find-links".split()
subprocess.run([sys.executable, "-m", *install, BUNDLE], check=True);"""

_OPEN_SUBMISSION = """\
from medfold.notebooks import SubmissionBundle, predict_hidden_test

bundle = SubmissionBundle.open(BUNDLE)
print(bundle)"""

_PREDICT = """\
submission = predict_hidden_test(bundle, INPUTS, WORKING / "submission.csv", HOURS)
submission.head()"""

_OPEN_TRAINING = """\
from medfold.notebooks import TrainingBundle, train_in_notebook

print(TrainingBundle.open(BUNDLE))"""

_TRAIN = "train_in_notebook(BUNDLE, INPUTS, WORKING, HOURS)"


def submission_notebook(
    competition: Competition, runs: list[str], score: str, label: Path, packages: dict[str, str]
) -> str:
    """The notebook that predicts a hidden test set.

    Args:
        runs: their names.
        score: the OOF score in words.
        label: kit.json of the bundle that it is written for.
        packages: to install from the bundle beside the package itself: name -> version.

    Returns:
        The text of an .ipynb file; equal arguments give equal texts.
    """
    about = _SUBMISSION.format(
        title=competition.title, version=__version__, runs=", ".join(runs), score=score, mark=_mark(label)
    )
    why = "that predicting may take; rather than longer, it does with fewer views and folds"
    return _notebook(
        [
            _markdown(about),
            _install(packages, label, HOURS, why),
            _markdown("## What is in the bundle"),
            _code(_OPEN_SUBMISSION),
            _markdown("## The submission"),
            _code(_PREDICT),
        ]
    )


def training_notebook(
    competition: Competition, run: str, folds: list[int], label: Path, packages: dict[str, str]
) -> str:
    """The notebook that trains folds.

    Args:
        run: its name.
        folds: their numbers.
        label: job.json of the bundle that it is written for.
        packages: as `submission` takes them.

    Returns:
        The text of an .ipynb file; equal arguments give equal texts.
    """
    listed = ", ".join(map(str, folds))
    about = _TRAINING.format(title=competition.title, version=__version__, run=run, folds=listed, mark=_mark(label))
    why = "after which trainings stop and keep where they stand, to be gone on with in another session"
    return _notebook(
        [
            _markdown(about),
            _install(packages, label, TRAINING_HOURS, why),
            _markdown("## What is to be trained"),
            _code(_OPEN_TRAINING),
            _markdown("## The training"),
            _code(_TRAIN),
        ]
    )


def _install(packages: dict[str, str], label: Path, hours: float, why: str) -> dict[str, Any]:
    named = [f"medfold=={__version__}", *(f"{name}=={number}" for name, number in packages.items())]
    words = {"packages": " ".join(named), "hours": hours, "why": why}
    return _code(_INSTALL.format(label=label.name, contents=manifest_id(label), **words))


def _mark(label: Path) -> str:
    return files.read_json(label)["mark"]


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
