"""Drafts the facts of an unknown competition from its files."""

from pathlib import Path, PurePosixPath

from medfold.errors import UserError
from medfold.images import UNSUPPORTED_FORMATS, is_dicom
from medfold.raw_files import list_files
from medfold.scaffold.class_folders import class_names
from medfold.scaffold.draft import Doubt, Draft
from medfold.scaffold.from_arrays import draft_from_arrays
from medfold.scaffold.from_folders import draft_from_folders
from medfold.scaffold.from_table import draft_from_table
from medfold.scaffold.image_files import IMAGE_EXTENSIONS, OTHER_EXTENSIONS, ImageFiles
from medfold.scaffold.raw_folder import RawFolder
from medfold.scaffold.table_search import FoundTables, check_unmatched, find_labels
from medfold.scaffold.target_columns import NoLabelError
from medfold.terminal.command_text import variable
from medfold.text import count_of, shorten_list

MAX_EXTENSION_LENGTH = 6  # characters with the dot; anything longer is not an extension


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
    """Drafts the facts of a folder that holds all files of the competition."""
    folder = RawFolder.from_path(raw)
    draft = _draft_from_labels(folder)
    copies = [Doubt("", f"{copy}/ is a second copy of the files beside it: not used") for copy in folder.copies]
    draft.doubts = [*copies, *draft.doubts, *_doubts_about_unread_files(folder)]
    _add_companions(draft, folder.image_files)
    return draft


def _draft_from_labels(folder: RawFolder) -> Draft:
    """Drafts the facts by the first of these that has labels: a table, folders named after classes, arrays.

    Raises:
        UserError: no image, or no labels.
    """
    if not folder.image_files.files and not folder.arrays:
        found = f"Files: {shorten_list(folder.files, 6)}" if folder.files else "The folder is empty"
        fix = f"Name the folder or the archive with the images: {variable('FROM', 'folder-or-archive')}"
        raise UserError("contains no images", folder.path, f"{found}. {fix}")
    folder_classes = class_names(folder.image_files)
    tables = find_labels(folder.image_files, folder.train_tables)
    if not tables.best and not folder_classes:
        tables = find_labels(folder.image_files, sorted([*folder.train_tables, *folder.test_tables]))
    draft = _draft_from_best_table(folder, tables, folder_classes) if tables.best else None
    if draft is not None:
        return draft
    if folder.image_files.files:
        return _draft_from_class_folders(folder, tables)
    return draft_from_arrays(folder)


def _draft_from_best_table(folder: RawFolder, tables: FoundTables, folder_classes: set[str]) -> Draft | None:
    """Drafts the facts from the table of labels; None if folders are more likely to name the classes."""
    try:
        draft, has_named_label = draft_from_table(folder, tables)
    except NoLabelError:
        if not folder_classes:
            raise
        return None  # the table is about something else
    holds_classes = any(
        2 * len(folder_classes & set(values)) >= len(folder_classes) for _, values in tables.best.content.items()
    )
    # Folders are preferred if no column is named like a label, and none has the names of the class folders.
    return draft if has_named_label or holds_classes or not folder_classes else None


def _draft_from_class_folders(folder: RawFolder, tables: FoundTables) -> Draft:
    """Drafts the facts from folders, with doubts about the tables that are not used."""
    check_unmatched(tables.unmatched, folder.image_files)
    draft = draft_from_folders(folder)
    draft.doubts += tables.unreadable_doubts()
    matching = sorted(table.path for table in (tables.best, *tables.others) if table)
    for unused in (list(tables.unmatched), matching):
        if unused:
            draft.add_doubt("", f"{shorten_list(unused, 3)}: not used, since folders name the classes")
    return draft


def _add_companions(draft: Draft, image_files: ImageFiles) -> None:
    """Excludes images that are masks, and adds doubts about images that may be masks."""
    if image_files.exclude:
        draft.facts["images"]["exclude"] = image_files.exclude
        why = (
            f"{count_of(image_files.companions, 'image is', 'images are')} named like others, with an "
            "addition: masks or the like"
        )
        draft.add_reason("images.exclude", shorten_list(image_files.exclude, 4), why)
    for addition, count in image_files.unclear.items():
        what = f"{count_of(count, 'image is', 'images are')} named like others with '{addition}' added"
        draft.add_doubt("images.exclude", f"{what}; unclear whether they are masks: they are used as images")


def _doubts_about_unread_files(folder: RawFolder) -> list[Doubt]:
    """Returns doubts about files of unknown formats, and of known formats that medfold does not read."""
    known = {*IMAGE_EXTENSIONS, *OTHER_EXTENSIONS, ""}
    unknown: dict[str, list[str]] = {}
    for path in folder.files:
        extension = PurePosixPath(path).suffix.lower()
        if extension not in known and len(extension) <= MAX_EXTENSION_LENGTH and not is_dicom(folder.path / path):
            unknown.setdefault(extension, []).append(path)
    texts = [
        f"{_count_and_folders(paths)} with the extension {extension}: not a known image format; not used"
        for extension, paths in sorted(unknown.items())
    ]
    for extension, (kind, advice) in UNSUPPORTED_FORMATS.items():
        if paths := [path for path in folder.files if path.lower().endswith(extension)]:
            texts.append(f"{_count_and_folders(paths)}: {kind}, which is not supported. {advice}")
    return [Doubt("", text) for text in texts]


def _count_and_folders(paths: list[str]) -> str:
    """Returns how many files there are, and in which folders."""
    folders = shorten_list(sorted({path.rpartition("/")[0] or "." for path in paths}))
    return f"{count_of(len(paths), 'file')} in {folders}"
