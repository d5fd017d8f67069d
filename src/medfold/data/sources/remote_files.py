"""What the Kaggle sources share: one archive or one file, from the network into raw/."""

from collections.abc import Callable
from pathlib import Path

import requests

from medfold import files, http_download
from medfold.console import format_size, say, warn
from medfold.data.sources import archives
from medfold.data.sources.archives import unpack_archive
from medfold.data.sources.source import SourceFolders
from medfold.errors import UserError

CONTENTS = 1.0  # images hardly shrink: the contents of an archive need about its size once more


def fetch_archive(fresh: Callable[[], requests.Response], name: str, into: SourceFolders) -> None:
    """Downloads a zip archive and unpacks it into `into.raw`.

    Unpacking tests every member's checksum; an archive that fails is thrown away and fetched once more. One that is
    whole is kept in `into.downloads` until raw/ is complete, so that a killed unpacking needs no second download.

    Raises:
        UserError: what `transfer.fetch` and `archives.unpack` raise; an archive that is damaged twice.
    """
    archive = into.downloads / f"{name}.zip"
    for attempt in (1, 2):
        if not archive.is_file():
            http_download.download_file(fresh, archive, CONTENTS)
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
                fix = "Try again later, or fetch it with a browser and give it by FROM=archive.zip"
                raise UserError(f"the archive arrives damaged, twice ({error.what})", name, fix) from None
            warn("download", f"{error.what}; once more from the start")
            files.remove(into.raw)
            into.raw.mkdir()


def fetch_file(fresh: Callable[[], requests.Response], name: str, target: Path) -> None:
    """Downloads one file to `target`; Kaggle may hand out a large one as a zip archive of its own."""
    arrived = target.with_name(f".{target.name}.download")
    http_download.download_file(fresh, arrived)
    if archives.is_zip_of(arrived, target.name):
        folder = target.with_name(f".{target.name}.unpacked")
        files.remove(folder)
        unpack_archive(arrived, folder)
        (folder / target.name).replace(target)
        files.remove(folder)
        arrived.unlink()
    else:
        arrived.replace(target)
