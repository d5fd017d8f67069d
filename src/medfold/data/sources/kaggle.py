"""Source `kaggle`: the data of a competition, for those who have joined it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from medfold.competition import slug_of
from medfold.console import say
from medfold.data.sources import remote_files
from medfold.data.sources.source import SingleFiles, SourceFolders
from medfold.kaggle import KaggleSession


class Options(BaseModel):
    """What `source:` holds for kind `kaggle`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    slug: str = Field(description="Last part of the competition's address at Kaggle, or the address.")

    @field_validator("slug")
    @classmethod
    def _plain(cls, value: str) -> str:
        return slug_of(value, "competitions")


def fetch(options: Options, into: SourceFolders) -> None:
    """Downloads the competition's archive and unpacks it.

    Raises:
        UserError: no credentials, rules not accepted, no such competition; what `remote.fetch_archive` raises.
    """
    kaggle = _joined(options)
    remote_files.fetch_archive(lambda: kaggle.open_competition(options.slug), options.slug, into)


def single_files(options: Options) -> SingleFiles:
    """The competition's files, one by one."""
    kaggle = _joined(options)
    return SingleFiles(
        sizes=lambda: kaggle.competition_files(options.slug),
        fetch=lambda name, target: remote_files.fetch_file(
            lambda: kaggle.open_competition(options.slug, name), name, target
        ),
    )


def accept(options: Options, given: Path) -> str:
    """Takes any archive or folder; the contents are checked when the samples are read."""
    return given.name


def _joined(options: Options) -> KaggleSession:
    kaggle = KaggleSession.connect()
    say("kaggle", f"as {kaggle.credentials.user}, by the {kaggle.credentials.source}")
    facts = kaggle.joined(options.slug)
    if facts.over:
        say("kaggle", f"{options.slug} ended on {facts.deadline:%Y-%m-%d}; its data is still to be had")
    return kaggle
