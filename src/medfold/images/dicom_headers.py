"""DICOM headers as columns of the label table."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.errors import UserError
from medfold.images.formats.reading import path_of_image, read_dicom_headers
from medfold.images.worker_pool import WorkerDied, map_in_workers
from medfold.progress import progress_bar


def read_headers(raw: Path, images: pd.Series, keywords: list[str], complete: bool = True) -> dict[str, list[str]]:
    """The values of DICOM headers, nothing as ''.

    Args:
        raw: the folder that image paths start from.
        images: paths below it; of several files of an image the first is read.
        keywords: DICOM keywords, like PatientID.
        complete: every file must be readable; else the values of one that is not are ''.

    Returns:
        For each keyword the values, in the order of the images.

    Raises:
        UserError: an unknown keyword, or a file that is no DICOM.
    """
    if not keywords:
        return {}
    found = np.empty((len(images), len(keywords)), object)
    paths = [path_of_image(raw, image) for image in images]
    with progress_bar("samples", len(paths), "headers") as bar:
        for results in map_in_workers(partial(_values, keywords=keywords, complete=complete), paths):
            for number, values in results:
                if isinstance(values, WorkerDied):
                    if complete:
                        raise UserError("its header kills the process that reads it", paths[number], "Get it again")
                    values = [""] * len(keywords)
                found[number] = values
            bar.advance(len(results))
    return {keyword: found[:, column].tolist() for column, keyword in enumerate(keywords)}


def identifying_keywords(keywords: Collection[str]) -> list[str]:
    """Those of DICOM keywords that may tell who a patient is."""
    if not keywords:
        return []
    from medfold.images.formats.dicom import TECHNICAL  # not above: few competitions have DICOM, and it takes long

    return sorted(set(keywords) - set(TECHNICAL))


def _values(path: Path, keywords: list[str], complete: bool) -> list[str]:
    try:
        values = read_dicom_headers(path, keywords)
    except UserError:
        if complete:
            raise
        return [""] * len(keywords)
    return [values[keyword] for keyword in keywords]
