"""Source `kaggle`: the data of a competition, for users who have joined it."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from medfold.competition import parse_slug
from medfold.data.sources import remote_files
from medfold.data.sources.kinds import SingleFiles, SourceFolders, SourceKind
from medfold.kaggle import (
    AttachedData,
    KaggleCompetitions,
    KaggleSession,
    competition_files,
    request_competition_archive,
)
from medfold.terminal.console import say


class Options(BaseModel):
    """The settings of a source of kind `kaggle`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    slug: str = Field(description="Last part of the competition's address on Kaggle, or the address.")

    @field_validator("slug")
    @classmethod
    def _plain(cls, value: str) -> str:
        return parse_slug(value, "competitions")


def fetch(options: Options, into: SourceFolders) -> None:
    """Downloads the competition's archive and unpacks it.

    Raises:
        UserError: no credentials, rules not accepted, no such competition, or a failed download
            (`remote_files.fetch_archive`).
    """
    session = _connected(options)
    remote_files.fetch_archive(lambda: request_competition_archive(session, options.slug), options.slug, into)


def single_files(options: Options) -> SingleFiles:
    """Returns access to the separate files of the competition."""
    session = _connected(options)
    return SingleFiles(
        sizes=lambda: competition_files(session, options.slug),
        fetch=lambda name, target: remote_files.fetch_file(
            lambda: request_competition_archive(session, options.slug, name), target
        ),
    )


def on_kaggle(options: Options) -> AttachedData:
    """Returns the competition, to attach to a notebook."""
    return AttachedData(competition=options.slug)


def _connected(options: Options) -> KaggleSession:
    session = KaggleSession.connect()
    say("kaggle", f"as {session.account}")
    info = KaggleCompetitions(session).joined(options.slug)
    if info.has_ended:
        say("kaggle", f"{options.slug} ended on {info.deadline:%Y-%m-%d}; its data is still available")
    return session


KIND = SourceKind(Options, fetch, single_files=single_files, on_kaggle=on_kaggle)
