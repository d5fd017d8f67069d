"""Source `own`: data of one's own, which is at no address; `FROM=` names it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from medfold.data.sources.source import SourceFolders
from medfold.errors import UserError


class Options(BaseModel):
    """The settings of a source of kind `own`."""

    model_config = ConfigDict(extra="forbid")
    kind: str


def fetch(options: Options, into: SourceFolders) -> None:
    """There is nowhere to get it from.

    Raises:
        UserError: always.
    """
    raise UserError("the data is your own and at no address", "source.kind", "Name it: FROM=folder-or-archive")


def accept(options: Options, given: Path) -> str:
    """Takes what is given, under its own name."""
    return given.name
