"""Attributes of samples, such as sex, site or scanner: kept columns and DICOM headers."""

from collections.abc import Collection

import pandas as pd

from medfold.competition import Competition
from medfold.images import read_scanned_headers


def sample_attributes(
    competition: Competition, samples: pd.DataFrame, ignored_headers: Collection[str] = ()
) -> pd.DataFrame:
    """Returns the kept columns of samples, and the technical DICOM headers of their images.

    Args:
        competition: the competition (`labels.keep_columns`), with the headers that the audit read.
        samples: samples with a readable image: id and the kept columns.
        ignored_headers: DICOM keywords that are left out. Defaults to none.

    Returns:
        A column per attribute, one row per sample, in their order. A header with the name of a kept column is called
        `<name> (header)`.
    """
    columns = samples[list(competition.facts.labels.keep_columns)].reset_index(drop=True)
    headers = read_scanned_headers(competition.paths)
    if headers is None:
        return columns
    headers = headers.drop(columns=list(ignored_headers), errors="ignore").reindex(samples["id"])
    return columns.join(headers.reset_index(drop=True), rsuffix=" (header)")
