"""Source `url`: one file at a public address, with a known md5."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from medfold.config import PlainName
from medfold.data.sources.kinds import SourceFolders, SourceKind
from medfold.errors import UserError
from medfold.system import archives, http_download
from medfold.system.archives import unpack_archive
from medfold.terminal.command_text import variable
from medfold.terminal.console import warn


class Options(BaseModel):
    """The settings of a source of kind `url`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    url: str = Field(description="Address of the file.")
    file: PlainName = Field(description="Name to keep the file under.")
    md5: str = Field(description="MD5 of the official file, 32 hexadecimal digits.")


def fetch(options: Options, into: SourceFolders) -> None:
    """Downloads the file, checks its md5 and unpacks it if it is an archive.

    Raises:
        UserError: no connection, an error response, or an md5 other than that in competition.yaml.
    """
    download = into.downloads / options.file
    if not download.is_file():
        try:
            http_download.download_file(lambda: http_download.open_stream(options.url), download)
        except UserError as error:
            fix = f"Download it with a browser, and name it: {variable('FROM', options.file)}"
            raise UserError(error.what, options.url, f"{error.fix}. {fix}" if error.fix else fix) from None
    if http_download.md5_of_file(download) != options.md5:
        download.unlink()
        fix = "Try again; if it fails again, the file has changed: compare source.md5 with the page of its publisher"
        raise UserError("the md5 of the download differs from that in competition.yaml", options.url, fix)
    if archives.is_archive(download):
        unpack_archive(download, into.raw)
    else:
        download.replace(into.raw / options.file)


def accept(options: Options, path: Path) -> str:
    """Accepts any file; warns if its md5 is not the official one. The contents are checked with the samples."""
    if path.is_file() and (md5 := http_download.md5_of_file(path)) != options.md5:
        text = f"md5 {md5} is not that of the official file ({options.md5}): another version of it?"
        warn("download", f"{text} Its images and labels are checked instead")
    return options.file


KIND = SourceKind(Options, fetch, accept)
