"""From the files of an unknown competition to a guess of its facts, each with the reason for it."""

import re
from pathlib import Path, PurePosixPath

from medfold.errors import UserError, some
from medfold.guess.found import Guess
from medfold.guess.from_arrays import from_arrays
from medfold.guess.from_folders import from_folders
from medfold.guess.from_table import FromTable
from medfold.guess.pictures import Pictures
from medfold.samples import patterns, tables

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
    found = Guess()
    files, copies = _without_copies(raw, patterns.listing(raw))
    found.doubts += [f"{folder}/ is a second copy of what stands beside it: not used" for folder in copies]
    pictures = Pictures(raw, files)
    arrays = [path for path in files if path.endswith(".npz")]
    if not pictures.files and not arrays:
        raise UserError("no image in it", raw, f"It has {some(files, 6)}" if files else "It is empty")
    known = [path for path in files if path.lower().endswith(tables.ENDINGS)]
    sample = min((path for path in known if re.search(r"sample.?submission", path, re.I)), key=len, default=None)
    is_test = {path: "test" in PurePosixPath(path).name.lower() for path in known if path != sample}
    from_table = FromTable(found, raw, pictures, sample)
    table = from_table.label_table([path for path in is_test if not is_test[path]])
    if table:
        from_table.fill_in(*table, [path for path in is_test if is_test[path]])
    elif pictures.files:
        from_table.refuse_unmatched()
        from_folders(found, raw, pictures, sample)
        if unused := from_table.unmatched:
            found.doubts.append(f"no column of {some(unused, 3)} names images: not used")
    else:
        from_arrays(found, raw, arrays[0])
    if pictures.exclude:
        found.facts["images"]["exclude"] = pictures.exclude
        why = f"{pictures.companions:,} images are named like others, with an addition: masks or the like"
        found.tell("images.exclude", some(pictures.exclude, 4), why)
    for addition, count in pictures.unclear.items():
        what = f"{count:,} images are named like others with '{addition}' behind"
        found.doubts.append(f"images.exclude: {what}; I cannot tell whether they are masks: they are used as images")
    return found


def _without_copies(raw: Path, files: list[str]) -> tuple[list[str], list[str]]:
    """The files without those in folders that hold once more what stands beside them; and these folders."""
    everything, copies = set(files), []
    for folder in sorted({path.partition("/")[0] for path in files if "/" in path}):
        within = [path for path in files if path.startswith(f"{folder}/")]
        others = [path[len(folder) + 1 :] for path in within]
        alike = set(others) <= everything
        if alike and all(
            (raw / a).stat().st_size == (raw / b).stat().st_size for a, b in zip(within, others, strict=True)
        ):
            copies.append(folder)
    return [path for path in files if path.partition("/")[0] not in copies], copies
