"""Fingerprint of the images of a competition, of their ids and paths: a file beside the sample table."""

import pandas as pd
from pydantic import BaseModel

from medfold.earlier_versions import SAMPLES
from medfold.errors import UserError
from medfold.paths import CompetitionPaths
from medfold.system import json_files
from medfold.system.hashes import sha256_of_text
from medfold.terminal.command_text import command


class _ImageList(BaseModel):
    """The value of image_list.json. Earlier versions recorded it in samples.json."""

    image_list_fingerprint: str = ""


def write_image_list_fingerprint(paths: CompetitionPaths, samples: pd.DataFrame) -> None:
    """Writes the fingerprint of the images of a sample table."""
    json_files.write({"image_list_fingerprint": _fingerprint(samples)}, paths.image_list, sealed=True)


def _fingerprint(samples: pd.DataFrame) -> str:
    """Returns a fingerprint of the ids and paths of all images of a sample table."""
    return sha256_of_text(samples[["id", "image"]].to_csv(index=False))


def read_image_list_fingerprint(paths: CompetitionPaths) -> str:
    """Reads the fingerprint that `write_image_list_fingerprint` wrote.

    Raises:
        UserError: there is no sample table.
    """
    recorded = json_files.read(paths.image_list, schema=_ImageList)
    recorded = recorded or json_files.read(
        paths.samples_metadata, SAMPLES, schema=_ImageList
    )  # written by an earlier version
    if not recorded or not recorded.image_list_fingerprint:
        raise UserError("no sample table", paths.samples, f"Run: {command('download', COMPETITION=paths.name)}")
    return recorded.image_list_fingerprint
