"""The text of the notebooks that Kaggle runs: a few cells that call the package."""

import json
from pathlib import Path
from typing import Any

from medfold import __version__
from medfold.competition import CompetitionFacts
from medfold.system import json_files
from medfold.system.hashes import fingerprint, sha256

SUBMISSION_HOURS = 8.5  # Kaggle stops a submitted notebook after 9 hours
TRAINING_HOURS = 11  # and any other notebook after 12

_SUBMISSION = """\
# {title}

A submission of trained folds, made with medfold {version}.

| | |
|---|---|
| runs | {runs} |
| out-of-fold score | {score} |
| bundle | {content_id} |

The attached data set holds what this notebook needs: the package, the trained folds, and how they are combined. It
works without internet, and predicts any test set, whatever its ids and size.

*For research and competitions, not for the diagnosis of patients.*"""

_TRAINING = """\
# {title}

Folds of a run, trained by medfold {version}.

| | |
|---|---|
| run | {run} |
| folds | {folds} |
| bundle | {content_id} |

The attached data set holds what this notebook needs: the package, the recipe, the folds table, and the checkpoints of
unfinished trainings. The result is one file, `trained.zip`.

*For research and competitions, not for the diagnosis of patients.*"""

_INSTALL = """\
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

INPUTS, WORKING = Path("/kaggle/input"), Path("/kaggle/working")
HOURS = {hours}  # {comment}
HASH = "{manifest_hash}"  # the hash of {manifest}, which holds those of all other files

manifests = [*INPUTS.glob("*/{manifest}"), *INPUTS.glob("datasets/*/*/{manifest}")]
manifests = [path for path in manifests if sha256(path.read_bytes()).hexdigest() == HASH]
assert manifests, f"attach the version of the data set whose {manifest} has the SHA-256 {{HASH}}"
BUNDLE = manifests[0].parent
hashes = json.loads(manifests[0].read_bytes())["files"]
wheels = {{path.name: sha256(path.read_bytes()).hexdigest() for path in BUNDLE.glob("*.whl")}}
changed = [name for name in wheels if wheels[name] != hashes.get(name)]
assert not changed, f"not the wheels that were packed: {{changed}}. Upload the data set again"
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
    facts: CompetitionFacts, runs: list[str], score_text: str, manifest: Path, packages: dict[str, str]
) -> str:
    """Returns the notebook that predicts a hidden test set.

    Args:
        facts: facts of the competition (the title, and addresses for links).
        runs: names of the runs, for the description.
        score_text: OOF score as text, for the description.
        manifest: path of the bundle's kit.json.
        packages: versions, by name, of the packages to install from the bundle besides medfold.

    Returns:
        The text of an .ipynb file; equal arguments give equal texts.
    """
    text = _SUBMISSION.format(
        title=facts.title,
        version=__version__,
        runs=", ".join(runs),
        score=score_text,
        content_id=_content_id(manifest),
    )
    comment = "time limit of the prediction; if needed, views and folds are left out"
    return _notebook(
        [
            _markdown(text),
            _install(packages, manifest, SUBMISSION_HOURS, comment),
            _markdown("## What is in the bundle"),
            _code(_OPEN_SUBMISSION),
            _markdown("## The submission"),
            _code(_PREDICT),
        ]
    )


def training_notebook(
    facts: CompetitionFacts, run: str, folds: list[int], manifest: Path, packages: dict[str, str]
) -> str:
    """Returns the notebook that trains folds.

    Args:
        facts: facts of the competition (the title, and addresses for links).
        run: name of the run.
        folds: numbers of the folds to train.
        manifest: path of the bundle's job.json.
        packages: versions, by name, of the packages to install from the bundle besides medfold.

    Returns:
        The text of an .ipynb file; equal arguments give equal texts.
    """
    fold_list = ", ".join(map(str, folds))
    text = _TRAINING.format(
        title=facts.title, version=__version__, run=run, folds=fold_list, content_id=_content_id(manifest)
    )
    comment = "after which trainings save a checkpoint and stop, to continue in another session"
    return _notebook(
        [
            _markdown(text),
            _install(packages, manifest, TRAINING_HOURS, comment),
            _markdown("## The request"),
            _code(_OPEN_TRAINING),
            _markdown("## The training"),
            _code(_TRAIN),
        ]
    )


def _install(packages: dict[str, str], manifest: Path, hours: float, comment: str) -> dict[str, Any]:
    requirements = [f"medfold=={__version__}", *(f"{name}=={number}" for name, number in packages.items())]
    values = {"packages": " ".join(requirements), "hours": hours, "comment": comment}
    return _code(_INSTALL.format(manifest=manifest.name, manifest_hash=sha256(manifest), **values))


def _content_id(manifest: Path) -> str:
    return json_files.read(manifest)["content_id"]


def _notebook(cells: list[dict[str, Any]]) -> str:
    for cell in cells:
        cell["id"] = fingerprint([cell["cell_type"], cell["source"]], 8)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
