"""Drafts the facts of an unknown competition from its files."""

import re
from pathlib import Path, PurePosixPath

from medfold.errors import UserError
from medfold.images import UNSUPPORTED_FORMATS, is_dicom
from medfold.raw_files import TABLE_EXTENSIONS, list_files, part_from_name
from medfold.scaffold.class_folders import class_names
from medfold.scaffold.draft import Draft
from medfold.scaffold.from_arrays import from_arrays
from medfold.scaffold.from_folders import from_folders
from medfold.scaffold.from_table import from_table
from medfold.scaffold.image_files import IMAGE_EXTENSIONS, OTHER_EXTENSIONS, ImageFiles
from medfold.scaffold.table_search import FoundTables, check_unmatched, find_labels
from medfold.scaffold.target_columns import NoLabelError
from medfold.text import count_of, shorten_list

__all__ = ["Draft", "draft_facts"]
MAX_EXTENSION_LENGTH = 6  # characters with the dot; anything longer is not an extension
TEST = re.compile(r"(^|[\W_\d])test", re.I)  # in names of tables and their folders; not in 'latest'


def draft_facts(raw: Path) -> Draft:
    """Guesses the facts from sample submission, tables and images.

    Args:
        raw: folder with the files of the competition.

    Returns:
        The guessed facts, with reasons and doubts.

    Raises:
        UserError: no image, or neither a table nor folders that could be labels.
    """
    tops = {path.partition("/")[0] for path in list_files(raw)}
    if len(tops) != 1 or not (raw / (root := tops.pop())).is_dir():
        return _draft_folder(raw)
    draft = draft_facts(raw / root)  # all files are in one folder
    inner = draft.facts["images"].get("root")
    draft.facts["images"]["root"] = f"{root}/{inner}" if inner else root
    return draft


def _draft_folder(raw: Path) -> Draft:
    """Drafts the facts of a folder that holds all files of the competition: by a label table, folders or arrays."""
    draft = Draft()
    files, copies = _drop_copies(raw, list_files(raw))
    draft.doubts += [f"{folder}/ is a second copy of the files beside it: not used" for folder in copies]
    image_files = ImageFiles(raw, files)
    arrays = [path for path in files if path.endswith(".npz")]
    if not image_files.files and not arrays:
        raise UserError(
            "contains no images", raw, f"Files: {shorten_list(files, 6)}" if files else "The folder is empty"
        )
    sample, is_test = _sort_tables(files)
    folder_classes = class_names(image_files)
    tables = find_labels(image_files, [path for path in is_test if not is_test[path]])
    if not tables.best and not folder_classes:
        tables = find_labels(image_files, list(is_test))
    test_tables = [path for path in is_test if is_test[path]]
    if not tables.best or not _draft_from_table(draft, raw, image_files, tables, sample, test_tables, folder_classes):
        if image_files.files:
            _draft_from_folders(draft, raw, image_files, tables, sample)
        else:
            from_arrays(draft, raw, arrays[0])
            if len(arrays) > 1:
                draft.doubts.append(f"labels.file: {shorten_list(arrays[1:])}: not used")
    _add_unread_files(draft, raw, files)
    _add_companions(draft, image_files)
    return draft


def _sort_tables(files: list[str]) -> tuple[str | None, dict[str, bool]]:
    """Returns the path of the sample submission or None; and for each other table, whether it is of the test set."""
    tables = [path for path in files if path.lower().endswith(TABLE_EXTENSIONS)]
    sample = min((path for path in tables if re.search(r"sample.?submission", path, re.I)), key=len, default=None)
    is_test = {path: bool(TEST.search(path)) for path in tables if path != sample}
    if not sample and not any(is_test.values()):  # then the validation set serves as the test set
        is_test = {path: part_from_name(PurePosixPath(path).name) == "valid" for path in is_test}
    return sample, is_test


def _draft_from_table(
    draft: Draft,
    raw: Path,
    image_files: ImageFiles,
    tables: FoundTables,
    sample: str | None,
    test_tables: list[str],
    folder_classes: set[str],
) -> bool:
    """Guesses the facts from the table of labels; returns False if folders name the classes."""
    try:
        has_named_label = from_table(draft, raw, image_files, tables, test_tables, sample)
    except NoLabelError:
        if not folder_classes:
            raise
        return False  # the table is about something else
    holds_classes = any(
        2 * len(folder_classes & set(values)) >= len(folder_classes) for _, values in tables.best.content.items()
    )
    # Folders are preferred if no column is named like a label, and none has the names of the class folders.
    return has_named_label or holds_classes or not folder_classes


def _draft_from_folders(
    draft: Draft, raw: Path, image_files: ImageFiles, tables: FoundTables, sample: str | None
) -> None:
    """Guesses the facts from folders, instead of those that were guessed from a table."""
    draft.facts.clear()
    draft.reasons.clear()
    draft.doubts[:] = [doubt for doubt in draft.doubts if "second copy" in doubt]
    check_unmatched(tables.unmatched, image_files)
    from_folders(draft, raw, image_files, sample)
    matching = sorted(table.path for table in (tables.best, *tables.others) if table)
    for unused in (list(tables.unmatched), matching):
        if unused:
            draft.doubts.append(f"{shorten_list(unused, 3)}: not used, since folders name the classes")


def _add_companions(draft: Draft, image_files: ImageFiles) -> None:
    """Excludes images that are masks, and adds doubts about those that may be."""
    if image_files.exclude:
        draft.facts["images"]["exclude"] = image_files.exclude
        why = (
            f"{count_of(image_files.companions, 'image is', 'images are')} named like others, with an "
            "addition: masks or the like"
        )
        draft.add_reason("images.exclude", shorten_list(image_files.exclude, 4), why)
    for addition, count in image_files.unclear.items():
        what = f"{count_of(count, 'image is', 'images are')} named like others with '{addition}' added"
        draft.doubts.append(f"images.exclude: {what}; unclear whether they are masks: they are used as images")


def _drop_copies(raw: Path, files: list[str]) -> tuple[list[str], list[str]]:
    """Drops folders that repeat the files beside them; returns the other files, and these folders."""
    all_files = set(files)
    copies = []
    for folder in sorted({path.partition("/")[0] for path in files if "/" in path}):
        inner = [path for path in files if path.startswith(f"{folder}/")]
        outer = [path[len(folder) + 1 :] for path in inner]
        all_exist = set(outer) <= all_files
        if all_exist and all(
            (raw / a).stat().st_size == (raw / b).stat().st_size for a, b in zip(inner, outer, strict=True)
        ):
            copies.append(folder)
    return [path for path in files if path.partition("/")[0] not in copies], copies


def _add_unread_files(draft: Draft, raw: Path, files: list[str]) -> None:
    """Adds doubts about files of unknown formats, and of known formats that medfold does not read."""
    known = {*IMAGE_EXTENSIONS, *OTHER_EXTENSIONS}
    unknown = [path for path in files if (extension := PurePosixPath(path).suffix.lower()) and extension not in known]
    unknown = [path for path in unknown if len(PurePosixPath(path).suffix) <= MAX_EXTENSION_LENGTH]
    unknown = [path for path in unknown if not is_dicom(raw / path)]
    for extension in sorted({PurePosixPath(path).suffix.lower() for path in unknown}):
        matches = [path for path in unknown if path.lower().endswith(extension)]
        folders = shorten_list(sorted({path.rpartition("/")[0] or "." for path in matches}))
        draft.doubts.append(
            f"{count_of(len(matches), 'file')} in {folders} with the extension {extension}: not a "
            "known image format; not used"
        )
    for extension, (kind, advice) in UNSUPPORTED_FORMATS.items():
        matches = [path for path in files if path.lower().endswith(extension)]
        if matches:
            folders = shorten_list(sorted({path.rpartition("/")[0] or "." for path in matches}))
            draft.doubts.append(
                f"{count_of(len(matches), 'file')} in {folders}: {kind}, which is not supported. {advice}"
            )
