"""Finds the data attached to a notebook, wherever Kaggle mounts it.

Kaggle mounts it as `competitions/<slug>` or `datasets/<owner>/<name>`; in older notebooks as `<slug>` or `<name>`.
"""

from pathlib import Path

from medfold.errors import UserError
from medfold.text import shorten_list


def competition_folder(inputs: Path, slug: str) -> Path:
    """Finds the folder of a competition's data.

    Args:
        inputs: folder below which Kaggle mounts the attached data.
        slug: name of the competition in URLs.

    Returns:
        Path of the folder, which exists.

    Raises:
        UserError: it is not attached; the message lists what is.
    """
    return _first_folder(inputs, slug, inputs / "competitions" / slug, inputs / slug)


def dataset_folder(inputs: Path, ref: str) -> Path:
    """Finds the folder of a data set.

    Args:
        inputs: folder below which Kaggle mounts the attached data.
        ref: owner/name of the data set.

    Returns:
        Path of the folder, which exists.

    Raises:
        UserError: it is not attached; the message lists what is.
    """
    return _first_folder(inputs, ref, inputs / "datasets" / ref, inputs / ref.rpartition("/")[2])


def _first_folder(inputs: Path, name: str, *candidates: Path) -> Path:
    for folder in candidates:
        if folder.is_dir():
            return folder
    attached = sorted(path.relative_to(inputs).as_posix() for path in [*inputs.glob("*"), *inputs.glob("*/*")])
    raise UserError(f"the data of {name} is not attached", inputs, f"Attached: {shorten_list(attached, 8)}")
