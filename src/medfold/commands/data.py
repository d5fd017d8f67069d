"""Stages `data` and `runs DELETE=`: what takes room on the disk and what uses it; removed once somebody agrees."""

from dataclasses import dataclass
from pathlib import Path

from medfold import files
from medfold.console import confirm, format_size, print_table, say
from medfold.errors import UserError, shorten_list
from medfold.paths import CompetitionPaths, Workspace


@dataclass(frozen=True)
class Held:
    """Something in data/ that can be removed by itself.

    Args:
        name: as DELETE= takes it: raw, store/<key>, features/<key>.
        paths: what is removed.
        bytes: of all files in them.
        used: by what, or how it comes back, in words.
    """

    name: str
    paths: list[Path]
    bytes: int
    used: str


def data(workspace: Workspace, name: str | None = None, unwanted: list[str] | None = None, sure: bool = False) -> None:
    """Shows raw data, stores and features with their sizes and what uses them; removes what is named.

    Args:
        name: one competition. Defaults to all that have data.
        unwanted: what to remove, by the names shown. Defaults to nothing.
        sure: removes it without asking.

    Raises:
        UserError: there is no such thing, no competition was named, or nobody agreed.
    """
    names = [name] if name else [each for each in workspace.competitions() if workspace.competition(each).data.is_dir()]
    if unwanted and not name:
        raise UserError("whose data?", "DELETE", "Name a competition: COMPETITION=name")
    for each in names:
        paths = workspace.competition(each)
        held = held_by(paths)
        if unwanted:
            known = {one.name: one for one in held}
            gone = _named(known, unwanted, f"data of {each}")
            _remove([known[one].paths for one in gone], "data", [f"{one} ({known[one].used})" for one in gone], sure)
        elif held:
            say("data", f"{workspace.display(paths.data)}, {format_size(sum(one.bytes for one in held))}")
            print_table(["what", "size", "used by"], [[one.name, format_size(one.bytes), one.used] for one in held])
    if not names:
        say("data", "none yet")


def held_by(paths: CompetitionPaths) -> list[Held]:
    """What the folder of a competition in data/ holds, the largest first."""
    found, users = [], _stores_of_runs(paths)
    raw = [path for path in (paths.raw, paths.raw_manifest) if path.exists()]
    if raw:
        found.append(Held("raw", raw, _bytes(raw), "everything; make download gets it again"))
    if paths.downloads.is_dir():
        found.append(Held("downloads", [paths.downloads], _bytes([paths.downloads]), "an unfinished download"))
    for kind, folder in (("store", paths.data / "store"), ("features", paths.data / "features")):
        for each in sorted(folder.glob("*/")):
            used = shorten_list(users.get(each.name, [])) or "no run"
            found.append(Held(f"{kind}/{each.name}", [each], _bytes([each]), used))
    return sorted(found, key=lambda one: -one.bytes)


def _named(known: dict, wanted: list[str], of: str) -> list[str]:
    unknown = [name for name in wanted if name not in known]
    if unknown:
        fix = f"Known: {shorten_list(sorted(known), 8)}" if known else None
        raise UserError(f"there is no {shorten_list(unknown)} among the {of}", f'DELETE="{" ".join(wanted)}"', fix)
    return list(dict.fromkeys(wanted))


def _remove(what: list[list[Path]], stage: str, told: list[str], sure: bool) -> None:
    for line in told:
        say(stage, f"to be removed: {line}")
    if not sure and not confirm("Remove this for good?"):
        say(stage, "nothing was removed")
        return
    for paths in what:
        for path in reversed(paths):  # what says that the rest is complete goes first
            files.remove(path)
    say(stage, f"removed: {len(told)}")


def _stores_of_runs(paths: CompetitionPaths) -> dict[str, list[str]]:
    """The names of the runs that were trained on each store."""
    found: dict[str, list[str]] = {}
    for file in sorted(paths.runs.glob("*/run.json")):
        found.setdefault((files.read_json(file) or {}).get("store", ""), []).append(file.parent.name)
    return found


def _bytes(paths: list[Path]) -> int:
    every = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    return sum(file.lstat().st_size for file in every if file.is_file() or file.is_symlink())
