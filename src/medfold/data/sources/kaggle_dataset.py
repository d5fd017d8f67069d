"""Source `kaggle_dataset`: a data set on Kaggle; public ones need no account."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from medfold.competition import parse_slug
from medfold.data.sources import remote_files
from medfold.data.sources.kinds import SingleFiles, SourceFolders, SourceKind
from medfold.kaggle import AttachedData, KaggleSession, dataset_files, request_dataset_archive
from medfold.terminal.console import say


class Options(BaseModel):
    """The settings of a source of kind `kaggle_dataset`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    slug: str = Field(description="`owner/name` of the data set on Kaggle, or its address.")

    @field_validator("slug")
    @classmethod
    def _plain(cls, value: str) -> str:
        return parse_slug(value, "datasets")


def fetch(options: Options, into: SourceFolders) -> None:
    """Downloads the data set's archive and unpacks it.

    Raises:
        UserError: no such data set, a private one, or a failed download (`remote_files.fetch_archive`).
    """
    session = _connected()
    remote_files.fetch_archive(
        lambda: request_dataset_archive(session, options.slug), options.slug.partition("/")[2], into
    )


def single_files(options: Options) -> SingleFiles:
    """Returns access to the separate files of the data set."""
    session = _connected()
    return SingleFiles(
        sizes=lambda: dataset_files(session, options.slug),
        fetch=lambda name, target: remote_files.fetch_file(
            lambda: request_dataset_archive(session, options.slug, name), target
        ),
    )


def on_kaggle(options: Options) -> AttachedData:
    """Returns the data set, to attach to a notebook."""
    return AttachedData(datasets=[options.slug])


def _connected() -> KaggleSession:
    session = KaggleSession.connect(anonymous=True)
    say("kaggle", f"as {session.account}" if session.credentials else "without an account: public data sets need none")
    return session


KIND = SourceKind(Options, fetch, single_files=single_files, on_kaggle=on_kaggle)
