"""What is attached to a notebook, wherever Kaggle mounts it.

That is `competitions/<slug>` or `datasets/<owner>/<name>`, or, as in older notebooks, its last name alone.
"""

from pathlib import Path

from medfold.errors import UserError, shorten_list


def competition_folder(inputs: Path, slug: str) -> Path:
    """The folder of a competition's data.

    Args:
        inputs: the folder that everything is mounted in.

    Raises:
        UserError: it is not there; what is there is named.
    """
    return _first(inputs, slug, inputs / "competitions" / slug, inputs / slug)


def dataset_folder(inputs: Path, ref: str) -> Path:
    """The folder of a data set, owner/name; as `competition`."""
    return _first(inputs, ref, inputs / "datasets" / ref, inputs / ref.rpartition("/")[2])


def _first(inputs: Path, wanted: str, *places: Path) -> Path:
    for place in places:
        if place.is_dir():
            return place
    there = sorted(path.relative_to(inputs).as_posix() for path in [*inputs.glob("*"), *inputs.glob("*/*")])
    raise UserError(f"the data of {wanted} is not attached", inputs, f"There is {shorten_list(there, 8)}")
