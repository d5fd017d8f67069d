"""`make data`: lists the contents of data/ with size and use, or removes parts of it after confirmation."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from medfold.commands.shared.removal import remove_after_confirmation, select_names, total_size
from medfold.competition import load_facts
from medfold.earlier_versions import RUN
from medfold.errors import UserError
from medfold.paths import CompetitionPaths, ProjectPaths
from medfold.project_root import display_path
from medfold.system import files, json_files
from medfold.terminal.command_text import command, variable
from medfold.terminal.console import format_size, print_table, say
from medfold.text import shorten_list


@dataclass(frozen=True)
class DataItem:
    """A part of data/ that can be removed separately.

    Args:
        name: as used in DELETE: raw, downloads, store/<key>, features/<key>.
        paths: the files and folders to remove.
        bytes: total size of the files.
        used_by: the runs that use it, or how to get it again, as text.
    """

    name: str
    paths: list[Path]
    bytes: int
    used_by: str


def data(
    project_paths: ProjectPaths,
    name: str | None = None,
    names_to_remove: list[str] | None = None,
    skip_question: bool = False,
) -> None:
    """Lists raw data, stores and features with their sizes and the runs that use them, or removes some.

    Args:
        project_paths: the project folder.
        name: name of a competition. Defaults to all that have data.
        names_to_remove: names from the list, to remove. Defaults to none.
        skip_question: remove without asking. Defaults to False.

    Raises:
        UserError: an unknown name, no competition to remove from, or no terminal to ask.
    """
    files.check_folder(project_paths.root / "data")
    with_data = [slug for slug in project_paths.competitions() if project_paths.competition(slug).data.is_dir()]
    names = [name] if name else with_data
    if names_to_remove and not name:
        raise UserError(
            "no competition named", variable("DELETE"), f"Name a competition: {variable('COMPETITION', 'name')}"
        )
    for name in names:
        paths = project_paths.competition(name)
        items = list_data_items(paths, _is_own_data(paths))
        if names_to_remove:
            known = {item.name: item for item in items}
            selected = select_names(known, names_to_remove, f"data of {name}")
            paths_by_item = {f"{key} ({known[key].used_by})": known[key].paths for key in selected}
            remove_after_confirmation(paths_by_item, "data", skip_question)
        elif items:
            say("data", f"{display_path(paths.data)}, {format_size(sum(item.bytes for item in items))}")
            print_table(
                ["what", "size", "used by"], [[item.name, format_size(item.bytes), item.used_by] for item in items]
            )
    if not names:
        say("data", "none yet")


def list_data_items(paths: CompetitionPaths, is_own: bool) -> list[DataItem]:
    """Returns the removable parts of a competition's folder in data/, the largest first.

    Args:
        paths: paths of the competition.
        is_own: True if its raw data has no download address.
    """
    items = []
    runs_by_store = _runs_by_store(paths)
    raw = [path for path in (paths.raw, paths.raw_manifest) if path.exists()]
    if raw:
        copy = f"only from your own copy: {variable('FROM')}" if is_own else f"{command('download')} gets it again"
        items.append(DataItem("raw", raw, total_size(raw), f"everything; {copy}"))
    if paths.downloads.is_dir():
        items.append(DataItem("downloads", [paths.downloads], total_size([paths.downloads]), "an unfinished download"))
    for kind, folder in (("store", paths.data / "store"), ("features", paths.data / "features")):
        for path in sorted(folder.glob("*/")):
            used_by = shorten_list(runs_by_store.get(path.name, [])) or "no run"
            items.append(DataItem(f"{kind}/{path.name}", [path], total_size([path]), used_by))
    return sorted(items, key=lambda item: -item.bytes)


def _is_own_data(paths: CompetitionPaths) -> bool:
    """Returns True if the source is of kind own; False also where competition.yaml has a fault."""
    try:
        return load_facts(paths).source.get("kind") == "own"
    except UserError:
        return False


def _runs_by_store(paths: CompetitionPaths) -> dict[str, list[str]]:
    """Returns the names of the runs trained on each store, by store key."""
    runs: dict[str, list[str]] = {}
    for file in sorted(paths.runs.glob("*/run.json")):
        with suppress(UserError):  # `make runs` reports a damaged one
            recorded = json_files.read(file, RUN, schema=_StoreOfRun) or _StoreOfRun()
            runs.setdefault(recorded.store_key, []).append(file.parent.name)
    return runs


class _StoreOfRun(BaseModel):
    """The value of run.json that is used here."""

    store_key: str = ""
