"""The files of an unknown competition, sorted by what they may be."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from medfold.raw_files import TABLE_EXTENSIONS, list_files, read_table, split_from_name
from medfold.scaffold.image_files import ImageFiles

TEST = re.compile(r"(^|[\W_\d])test", re.I)  # in names of tables and their folders; not in 'latest'


class SampleSubmission(NamedTuple):
    """The sample submission.

    Args:
        path: path of the sample submission below the folder of the competition.
        table: rows of the sample submission, text columns.
    """

    path: str
    table: pd.DataFrame


@dataclass(frozen=True)
class RawFolder:
    """The files of a competition; all paths are below its folder.

    Args:
        path: folder with the files of the competition.
        files: paths of all files that may be used.
        copies: folders that repeat the files beside them, and are not used.
        image_files: the image files.
        arrays: paths of files with arrays.
        train_tables: paths of tables that may hold labels.
        test_tables: paths of tables that may list test images.
        sample_path: path of the sample submission; None if there is none.
    """

    path: Path
    files: list[str]
    copies: list[str]
    image_files: ImageFiles
    arrays: list[str]
    train_tables: list[str]
    test_tables: list[str]
    sample_path: str | None

    @classmethod
    def from_path(cls, path: Path) -> "RawFolder":
        """Sorts the files of a folder."""
        all_files = list_files(path)
        copies = _find_copies(path, all_files)
        files = [file for file in all_files if file.partition("/")[0] not in copies]
        tables = [file for file in files if file.lower().endswith(TABLE_EXTENSIONS)]
        samples = [file for file in tables if re.search(r"sample.?submission", file, re.I)]
        sample_path = min(samples, key=len, default=None)
        tables = [file for file in tables if file != sample_path]
        test_tables = [file for file in tables if TEST.search(file)]
        if not sample_path and not test_tables:  # then the validation set serves as the test set
            test_tables = [file for file in tables if split_from_name(PurePosixPath(file).name) == "valid"]
        return cls(
            path=path,
            files=files,
            copies=copies,
            image_files=ImageFiles(path, files),
            arrays=[file for file in files if file.endswith(".npz")],
            train_tables=[file for file in tables if file not in test_tables],
            test_tables=test_tables,
            sample_path=sample_path,
        )

    def read_table(self, path: str) -> pd.DataFrame:
        """Reads a table as text columns.

        Raises:
            UserError: the file is not a readable table.
        """
        return read_table(self.path / path, {})

    def read_sample_submission(self) -> SampleSubmission | None:
        """Reads the sample submission; None if there is none.

        Raises:
            UserError: the file is not a readable table.
        """
        return SampleSubmission(self.sample_path, self.read_table(self.sample_path)) if self.sample_path else None


def _find_copies(folder: Path, files: list[str]) -> list[str]:
    """Finds the subfolders whose files are all beside them, too, with the same names and sizes."""
    all_files = set(files)
    copies = []
    for name in sorted({path.partition("/")[0] for path in files if "/" in path}):
        inner = [path for path in files if path.startswith(f"{name}/")]
        outer = [path.removeprefix(f"{name}/") for path in inner]
        if set(outer) <= all_files and all(
            (folder / a).stat().st_size == (folder / b).stat().st_size for a, b in zip(inner, outer, strict=True)
        ):
            copies.append(name)
    return copies
