"""Source `kaggle-dataset`: a public data set of Kaggle, taken from the zip archive that its page offers."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from medfold.errors import UserError


class Options(BaseModel):
    """What `source:` holds for kind `kaggle-dataset`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    slug: str  # owner/name


def fetch(options: Options, target: Path, hidden: Path) -> None:
    """Names the page to fetch the archive from and the command that takes it over.

    Raises:
        UserError: always; medfold 0.1 reads Kaggle's archives but does not download them.
    """
    page = f"https://www.kaggle.com/datasets/{options.slug}"
    raise UserError(
        "this version does not download from Kaggle", page, "Press Download there, then add FROM=archive.zip"
    )


def accept(options: Options, given: Path) -> str:
    """Takes any archive or folder; the contents are checked when the samples are read."""
    return given.name
