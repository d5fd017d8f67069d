"""Downloads of the Kaggle sources: one archive or one file into raw/."""

from collections.abc import Callable
from pathlib import Path

import requests

from medfold.data.sources.kinds import SourceFolders
from medfold.errors import UserError
from medfold.system import archives, files, http_download
from medfold.system.archives import unpack_archive
from medfold.terminal.command_text import variable
from medfold.terminal.console import format_size, say, warn

UNPACKED_RATIO = 1.0  # size of the contents per size of the archive: images hardly compress


def fetch_archive(open_response: Callable[[], requests.Response], name: str, into: SourceFolders) -> None:
    """Downloads a zip archive and unpacks it into `into.raw`.

    Unpacking tests the checksum of every member; a damaged archive is deleted and downloaded once more. An intact one
    is kept in `into.downloads` until raw/ is complete, so that an interrupted unpacking needs no second download.

    Args:
        open_response: sends a new request for the archive and returns its response.
        name: name of the archive, without extension.
        into: folders to fill; the archive stays in `into.downloads` until it is unpacked.

    Raises:
        UserError: what `http_download.download_file` and `archives.unpack_archive` raise; an archive that arrives
            damaged twice.
    """
    archive = into.downloads / f"{name}.zip"
    for attempt in (1, 2):
        if not archive.is_file():
            http_download.download_file(open_response, archive, UNPACKED_RATIO)
            say("download", f"{format_size(archive.stat().st_size)} arrived")
        try:
            unpack_archive(archive, into.raw)
            return
        except archives.RefusedArchiveError:
            archive.unlink()
            raise
        except archives.DamagedArchiveError as error:
            archive.unlink()
            if attempt == 2:
                fix = f"Try again later, or download it with a browser, and name it: {variable('FROM', 'archive.zip')}"
                raise UserError(f"the archive arrived damaged twice ({error.what})", name, fix) from None
            warn("download", f"{error.what}; downloading it again")
            files.remove(into.raw)
            into.raw.mkdir()


def fetch_file(open_response: Callable[[], requests.Response], target: Path) -> None:
    """Downloads one file to `target`; unpacks it if Kaggle sends it as a zip archive, as it does with large files."""
    download = target.with_name(f".{target.name}.download")
    http_download.download_file(open_response, download)
    if archives.is_zip_of(download, target.name):
        folder = target.with_name(f".{target.name}.unpacked")
        files.remove(folder)
        unpack_archive(download, folder)
        (folder / target.name).replace(target)
        files.remove(folder)
        download.unlink()
    else:
        download.replace(target)
