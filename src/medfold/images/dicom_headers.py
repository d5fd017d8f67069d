"""DICOM headers as columns of the label table."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.errors import REPLACE, UserError
from medfold.images.formats.file_contents import read_dicom_headers
from medfold.images.image_paths import path_of_image
from medfold.images.worker_pool import WorkerDied, map_in_workers
from medfold.terminal.progress import progress_bar


def read_headers(raw: Path, image_paths: pd.Series, keywords: list[str], complete: bool = True) -> dict[str, list[str]]:
    """Reads DICOM headers of many images, on all cores.

    Args:
        raw: folder that image paths are relative to.
        image_paths: paths relative to `raw`. If an image consists of several files, the first one is read.
        keywords: DICOM keywords, such as PatientID.
        complete: if True, an unreadable file is an error; if False, its values are ''. Defaults to True.

    Returns:
        The values by keyword, in the order of the images; '' where a header is missing.

    Raises:
        UserError: a keyword is unknown, or a file is not DICOM.
    """
    if not keywords:
        return {}
    table = np.empty((len(image_paths), len(keywords)), object)
    image_files = [path_of_image(raw, image_path) for image_path in image_paths]
    with progress_bar("samples", len(image_files), "headers") as bar:
        for results in map_in_workers(partial(_values, keywords=keywords, complete=complete), image_files):
            for number, values in results:
                if isinstance(values, WorkerDied):
                    if complete:
                        raise UserError("reading its header crashes the process", image_files[number], REPLACE)
                    values = [""] * len(keywords)
                table[number] = values
            bar.advance(len(results))
    return {keyword: table[:, column].tolist() for column, keyword in enumerate(keywords)}


def identifying_keywords(keywords: Collection[str]) -> list[str]:
    """Returns the DICOM keywords whose values may identify a patient: all except the technical ones."""
    if not keywords:
        return []
    from medfold.images.formats.dicom_dataset import TECHNICAL_KEYWORDS  # slow import, and few competitions need it

    return sorted(set(keywords) - set(TECHNICAL_KEYWORDS))


def _values(path: Path, keywords: list[str], complete: bool) -> list[str]:
    """Returns the values of one file; if `complete` is False, '' for an unreadable one."""
    try:
        values = read_dicom_headers(path, keywords)
    except UserError:
        if complete:
            raise
        return [""] * len(keywords)
    return [values[keyword] for keyword in keywords]
