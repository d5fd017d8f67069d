"""From the files of an unknown competition to a guess of its facts, each with the reason for it."""

import re
from pathlib import Path, PurePosixPath

from medfold.data import TABLE_ENDINGS, list_files, part_from_name
from medfold.errors import UserError, shorten_list
from medfold.images import NOT_READ, is_dicom
from medfold.scaffold.draft import Draft
from medfold.scaffold.from_arrays import from_arrays
from medfold.scaffold.from_folders import class_names, from_folders
from medfold.scaffold.from_table import FromTable, NoLabelError
from medfold.scaffold.image_names import KNOWN, OTHERS, Pictures

__all__ = ["Draft", "draft_facts"]
LONGEST_END = 6  # letters; what is longer is no ending
TEST = re.compile(r"(^|[\W_\d])test", re.I)  # in names of tables and their folders; not in 'latest'


def draft_facts(raw: Path) -> Draft:
    """Looks at sample submission, tables and images, and says what they seem to be.

    Args:
        raw: the folder with the competition's files.

    Raises:
        UserError: no image, or neither a table nor folders that could be labels.
    """
    tops = {path.partition("/")[0] for path in list_files(raw)}
    if len(tops) != 1 or not (raw / (root := tops.pop())).is_dir():
        return _guess(raw)
    found = draft_facts(raw / root)  # all stands in one folder
    inner = found.facts["images"].get("root")
    found.facts["images"]["root"] = f"{root}/{inner}" if inner else root
    return found


def _guess(raw: Path) -> Draft:
    found = Draft()
    files, copies = _without_copies(raw, list_files(raw))
    found.doubts += [f"{folder}/ is a second copy of what stands beside it: not used" for folder in copies]
    pictures = Pictures(raw, files)
    arrays = [path for path in files if path.endswith(".npz")]
    if not pictures.files and not arrays:
        raise UserError("no image in it", raw, f"It has {shorten_list(files, 6)}" if files else "It is empty")
    known = [path for path in files if path.lower().endswith(TABLE_ENDINGS)]
    sample = min((path for path in known if re.search(r"sample.?submission", path, re.I)), key=len, default=None)
    is_test = {path: bool(TEST.search(path)) for path in known if path != sample}
    if not sample and not any(is_test.values()):  # then the validation part stands for it
        is_test = {path: part_from_name(PurePosixPath(path).name) == "valid" for path in is_test}
    from_table = FromTable(found, raw, pictures, sample)
    table = from_table.label_table([path for path in is_test if not is_test[path]])
    in_folders = class_names(pictures)
    if not table and not in_folders:
        table = from_table.label_table(list(is_test))
    try:
        if table:
            from_table.fill_in(*table, [path for path in is_test if is_test[path]])
    except NoLabelError:
        if not in_folders:
            raise
        table = None  # it tells of something else
    told = table and any(2 * len(in_folders & set(values)) >= len(in_folders) for _, values in table[1].items())
    if table and in_folders and not told and not from_table.by_name:
        table = None  # no column is named like a label, and folders are that no column knows
    if not table and pictures.files:
        found.facts.clear()
        found.reasons.clear()
        found.doubts[:] = [doubt for doubt in found.doubts if "second copy" in doubt]
        from_table.refuse_unmatched()
        from_folders(found, raw, pictures, sample)
        for unused in (from_table.unmatched, from_table.naming):
            if unused:
                found.doubts.append(f"{shorten_list(unused, 3)}: not used, for the folders tell the classes")
    elif not table:
        from_arrays(found, raw, arrays[0])
        if len(arrays) > 1:
            found.doubts.append(f"labels.file: {shorten_list(arrays[1:])}: not used")
    _tell_of_unread(found, raw, files)
    if pictures.exclude:
        found.facts["images"]["exclude"] = pictures.exclude
        why = f"{pictures.companions:,} images are named like others, with an addition: masks or the like"
        found.tell("images.exclude", shorten_list(pictures.exclude, 4), why)
    for addition, count in pictures.unclear.items():
        what = f"{count:,} images are named like others with '{addition}' added"
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


def _tell_of_unread(found: Draft, raw: Path, files: list[str]) -> None:
    """Says how many files are of a kind that is known and not read."""
    known = {*KNOWN, *OTHERS}
    others = [path for path in files if (end := PurePosixPath(path).suffix.lower()) and end not in known]
    others = [path for path in others if len(PurePosixPath(path).suffix) <= LONGEST_END and not is_dicom(raw / path)]
    for end in sorted({PurePosixPath(path).suffix.lower() for path in others}):
        ours = [path for path in others if path.lower().endswith(end)]
        folders = shorten_list(sorted({path.rpartition("/")[0] or "." for path in ours}))
        found.doubts.append(f"{len(ours):,} files in {folders} end with {end}: no image format that is known; not used")
    for end, (kind, help_) in NOT_READ.items():
        ours = [path for path in files if path.lower().endswith(end)]
        if ours:
            folders = shorten_list(sorted({path.rpartition("/")[0] or "." for path in ours}))
            found.doubts.append(f"{len(ours):,} files in {folders} are {kind}, which is not read. {help_}")
