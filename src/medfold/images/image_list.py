"""Fingerprint of the images of a competition: their ids and paths; noted beside the sample table."""

import pandas as pd
from pydantic import BaseModel

from medfold.earlier_versions import SAMPLES
from medfold.errors import UserError
from medfold.paths import CompetitionPaths
from medfold.system import json_files
from medfold.system.hashes import sha256_of_text
from medfold.terminal.command_text import command


class _SamplesJson(BaseModel):
    """The value of samples.json that is needed here."""

    image_list_fingerprint: str


def image_list_fingerprint(samples: pd.DataFrame) -> str:
    """Returns a fingerprint of the ids and paths of all images of a sample table."""
    return sha256_of_text(samples[["id", "image"]].to_csv(index=False))


def read_image_list_fingerprint(paths: CompetitionPaths) -> str:
    """Reads the fingerprint of the images, which is noted when the sample table is written.

    Raises:
        UserError: there is no sample table.
    """
    metadata = json_files.read(paths.samples_metadata, SAMPLES, form=_SamplesJson)
    if not metadata:
        raise UserError("no sample table", paths.samples, f"Run: {command('download', COMPETITION=paths.name)}")
    return metadata["image_list_fingerprint"]
