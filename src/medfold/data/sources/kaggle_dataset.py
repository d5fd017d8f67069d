"""Source `kaggle-dataset`: a data set of Kaggle; public ones need no account."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from medfold.competition import slug_of
from medfold.console import say
from medfold.data.sources import remote_files
from medfold.data.sources.source import SingleFiles, SourceFolders
from medfold.kaggle import KaggleSession


class Options(BaseModel):
    """What `source:` holds for kind `kaggle-dataset`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    slug: str = Field(description="`owner/name` of the data set at Kaggle, or its address.")

    @field_validator("slug")
    @classmethod
    def _plain(cls, value: str) -> str:
        return slug_of(value, "datasets")


def fetch(options: Options, into: SourceFolders) -> None:
    """Downloads the data set's archive and unpacks it.

    Raises:
        UserError: no such data set, or one that is private; what `remote.fetch_archive` raises.
    """
    kaggle = _connected()
    remote_files.fetch_archive(lambda: kaggle.open_dataset(options.slug), options.slug.partition("/")[2], into)


def single_files(options: Options) -> SingleFiles:
    """The data set's files, one by one."""
    kaggle = _connected()
    return SingleFiles(
        sizes=lambda: kaggle.dataset_files(options.slug),
        fetch=lambda name, target: remote_files.fetch_file(
            lambda: kaggle.open_dataset(options.slug, name), name, target
        ),
    )


def accept(options: Options, given: Path) -> str:
    """Takes any archive or folder; the contents are checked when the samples are read."""
    return given.name


def _connected() -> KaggleSession:
    kaggle = KaggleSession.connect(anonymous=True)
    who = kaggle.credentials
    say("kaggle", f"as {who.user}, by the {who.source}" if who else "without an account: public data sets need none")
    return kaggle
