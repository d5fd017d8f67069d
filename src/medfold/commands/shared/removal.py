"""Removal of runs and data that the user names: their names, their size, and the question before it."""

from pathlib import Path

from medfold.errors import UserError
from medfold.system import files
from medfold.terminal.command_text import variable
from medfold.terminal.console import confirm, say
from medfold.text import did_you_mean, shorten_list


def select_names(known: dict, names: list[str], owner: str) -> list[str]:
    """Returns the names that the user wrote, each once; refuses unknown ones.

    Args:
        known: what has a name, by name.
        names: names that the user wrote.
        owner: to which the names belong, for the error message.

    Raises:
        UserError: a name is not known.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        fix = f"Known: {shorten_list(sorted(known), 8)}" if known else None
        what = f"there is no {shorten_list(unknown)} among the {owner}{did_you_mean(unknown[0], known)}"
        raise UserError(what, variable("DELETE", " ".join(names)), fix)
    return list(dict.fromkeys(names))


def remove_after_confirmation(paths_by_item: dict[str, list[Path]], topic: str, skip_question: bool) -> None:
    """Prints what will be removed, asks once, and removes it.

    Args:
        paths_by_item: the files and folders of each item, by its description.
        topic: first word of the printed lines.
        skip_question: remove without asking.
    """
    for line in paths_by_item:
        say(topic, f"to be removed: {line}")
    if not skip_question and not confirm("Remove this for good?"):
        say(topic, "nothing was removed")
        return
    for paths in paths_by_item.values():
        for path in reversed(paths):  # the manifest, which marks the rest as complete, goes first
            files.remove(path)
    say(topic, f"removed: {len(paths_by_item)}")


def total_size(paths: list[Path]) -> int:
    """Returns the size of files and of all files in folders, in bytes."""
    all_files = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    return sum(file.lstat().st_size for file in all_files if file.is_file() or file.is_symlink())
