"""Source `url`: one file at a public address, its md5 known."""

import contextlib
import hashlib
from pathlib import Path

import pooch
import requests
from pydantic import BaseModel, ConfigDict

from medfold.errors import UserError
from medfold.sources import local
from medfold.terminal import warn


class Options(BaseModel):
    """What `source:` holds for kind `url`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    url: str
    file: str  # the name under which it is kept
    md5: str


def fetch(options: Options, target: Path, hidden: Path) -> None:
    """Downloads the file with a progress bar, checks its md5 and unpacks it if it is a zip archive.

    Raises:
        UserError: no connection, an error answer, or another md5 than competition.yaml says.
    """
    try:
        pooch.retrieve(
            options.url,
            known_hash=f"md5:{options.md5}",
            fname=options.file,
            path=target,
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=60),
        )
    except requests.RequestException as error:
        fix = f"Fetch it with a browser and give it by FROM={options.file}"
        raise UserError(f"download failed: {_reason(error)}", options.url, fix) from None
    except ValueError as error:
        if "hash" not in str(error):
            raise
        raise UserError("what arrived has another md5 than competition.yaml says", options.url, "Try again") from None
    if options.file.endswith(".zip"):
        local.unpack(target / options.file, target)
        (target / options.file).unlink()


def accept(options: Options, given: Path) -> str:
    """Notes another md5 than that of the official file; the contents are checked when the samples are read."""
    if given.is_file():
        with given.open("rb") as file:
            md5 = hashlib.file_digest(file, "md5").hexdigest()
        if md5 != options.md5:
            warn("download", f"note: md5 {md5} is not that of the official file ({options.md5}); contents are checked")
    return options.file


def _reason(error: requests.RequestException) -> str:
    """The innermost words of a chain of connection errors."""
    with contextlib.suppress(AttributeError, IndexError):
        return str(error.args[0].reason).split(">: ")[-1].split("object at")[-1]
    return str(error)
