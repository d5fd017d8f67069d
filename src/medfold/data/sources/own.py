"""Source `own`: your own data, which has no download address; `FROM=` names it."""

from pydantic import BaseModel, ConfigDict

from medfold.data.sources.kinds import SourceFolders, SourceKind
from medfold.errors import SettingError
from medfold.terminal.command_text import variable


class Options(BaseModel):
    """The settings of a source of kind `own`."""

    model_config = ConfigDict(extra="forbid")
    kind: str


def fetch(options: Options, into: SourceFolders) -> None:
    """Refuses: own data has no address to download it from.

    Raises:
        SettingError: always.
    """
    what = "the data is your own: there is no address to download it from"
    raise SettingError(what, "source.kind", f"Name it: {variable('FROM', 'folder-or-archive')}")


KIND = SourceKind(Options, fetch, has_address=False)
