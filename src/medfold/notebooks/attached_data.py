"""Data attached to a notebook on Kaggle: what to attach, and the folder where it is mounted.

Kaggle mounts it as `competitions/<slug>` or `datasets/<owner>/<name>`; in older notebooks as `<slug>` or `<name>`.
"""

from pathlib import Path

from medfold.competition import Competition
from medfold.data import open_source
from medfold.errors import UserError
from medfold.kaggle import AttachedData
from medfold.text import shorten_list


def find_data_on_kaggle(competition: Competition) -> AttachedData:
    """Returns the data to attach to a notebook that trains; nothing, if medfold makes the data itself.

    Raises:
        UserError: the data is not on Kaggle.
    """
    source = open_source(competition)
    if source.is_embedded:
        return AttachedData()
    if attached := source.on_kaggle():
        return attached
    fix = "Upload it as your own data set, and name that: source: {kind: kaggle_dataset, slug: owner/name}"
    raise UserError(f"the data of source {source.kind_name} is not on Kaggle", competition.paths.name, fix)


def competition_folder(inputs: Path, slug: str) -> Path:
    """Finds the folder of a competition's data.

    Args:
        inputs: folder below which Kaggle mounts the attached data.
        slug: name of the competition in URLs.

    Returns:
        Path of the folder, which exists.

    Raises:
        UserError: the data is not attached to the notebook; the message lists what is.
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
        UserError: the data is not attached to the notebook; the message lists what is.
    """
    return _first_folder(inputs, ref, inputs / "datasets" / ref, inputs / ref.rpartition("/")[2])


def _first_folder(inputs: Path, name: str, *candidates: Path) -> Path:
    for folder in candidates:
        if folder.is_dir():
            return folder
    attached = sorted(path.relative_to(inputs).as_posix() for path in [*inputs.glob("*"), *inputs.glob("*/*")])
    raise UserError(
        f"the data of {name} is not attached",
        inputs,
        f"Add it to the notebook (Add Input). It has: {shorten_list(attached, 8)}",
    )
