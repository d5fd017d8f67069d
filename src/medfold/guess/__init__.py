"""From the files of an unknown competition to a guess of its facts, each with the reason for it."""

import re
from pathlib import Path, PurePosixPath

from medfold.errors import UserError, some
from medfold.guess.bare import from_arrays, from_folders
from medfold.guess.found import Guess
from medfold.guess.from_table import FromTable
from medfold.guess.pictures import Pictures
from medfold.samples import patterns

__all__ = ["Guess", "guess"]


def guess(raw: Path) -> Guess:
    """Looks at sample submission, tables and images, and says what they seem to be.

    Args:
        raw: the folder with the competition's files.

    Raises:
        UserError: no image, or neither a table nor folders that could be labels.
    """
    tops = {path.partition("/")[0] for path in patterns.listing(raw)}
    if len(tops) != 1 or not (raw / (root := tops.pop())).is_dir():
        return _guess(raw)
    found = guess(raw / root)  # all stands in one folder
    inner = found.facts["images"].get("root")
    found.facts["images"]["root"] = f"{root}/{inner}" if inner else root
    return found


def _guess(raw: Path) -> Guess:
    found, files = Guess(), patterns.listing(raw)
    pictures = Pictures(raw, files)
    arrays = [path for path in files if path.endswith(".npz")]
    if not pictures.files and not arrays:
        raise UserError("no image in it", raw, f"It has {some(files, 6)}" if files else "It is empty")
    csv = [path for path in files if path.lower().endswith(".csv")]
    sample = min((path for path in csv if re.search(r"sample.?submission", path, re.I)), key=len, default=None)
    is_test = {path: "test" in PurePosixPath(path).name.lower() for path in csv if path != sample}
    from_table = FromTable(found, raw, pictures, sample)
    table = from_table.label_table([path for path in is_test if not is_test[path]])
    if table:
        from_table.fill_in(*table, [path for path in is_test if is_test[path]])
    elif pictures.files:
        from_folders(found, raw, pictures.files)
    else:
        from_arrays(found, raw, arrays[0])
    return found
