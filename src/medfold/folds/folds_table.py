"""The folds table `folds/<name>.csv`: read, written, and checked against the samples at each use."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, field_validator

from medfold.competition import FoldFacts
from medfold.earlier_versions import FOLDS, LEAK_KINDS, with_current_names
from medfold.errors import UserError
from medfold.paths import CompetitionPaths
from medfold.system import json_files, locks
from medfold.system.hashes import sha256_of_text
from medfold.tables import read_csv, write_csv
from medfold.terminal.command_text import command
from medfold.text import count_of, shorten_list

DAMAGED = "damaged"  # stands for the fingerprint in the name of a damaged table that was set aside


def read_folds_table(paths: CompetitionPaths) -> pd.DataFrame:
    """Reads the folds table: id, group, fold.

    Raises:
        UserError: a missing column, no row, a duplicated id, or a fold that is not a whole number from 0.
    """
    table = read_csv(paths.folds_table)
    for column in ("id", "group", "fold"):
        if column not in table:
            raise UserError(f"no column '{column}', expected id,group,fold", paths.folds_table, _fix_damaged(paths))
    if table.empty:
        raise UserError("the table has no rows", paths.folds_table, _fix_damaged(paths))
    if table["id"].duplicated().any():
        what = f"duplicate ids: {shorten_list(table['id'][table['id'].duplicated()])}"
        raise UserError(what, paths.folds_table, _fix_damaged(paths))
    if not pd.api.types.is_integer_dtype(table["fold"]) or (table["fold"] < 0).any():
        raise UserError("column 'fold' must hold whole numbers 0..K-1", paths.folds_table, _fix_damaged(paths))
    return table


class _FoldSettings(BaseModel):
    """The key `folds` of competition.yaml as it was, with keys of other versions."""

    model_config = ConfigDict(extra="allow")
    k: int
    seed: int
    method: str
    duplicates: str = "exact"  # older versions did not save it


class FoldsMetadata(BaseModel):
    """How folds were made, and the number of leaks of each kind in them; other values are not used."""

    folds: _FoldSettings | None = None
    leak_counts: dict[str, int] = {}

    @field_validator("leak_counts", mode="before")
    @classmethod
    def _with_current_kinds(cls, counts: Any) -> Any:
        return with_current_names(counts, LEAK_KINDS)


def read_folds_metadata(path: Path) -> FoldsMetadata:
    """Reads how the folds were made; without a file everything is unknown.

    Args:
        path: the JSON file beside a folds table, the current one or an older one.

    Raises:
        UserError: the file is damaged.
    """
    return json_files.read(path, FOLDS, schema=FoldsMetadata) or FoldsMetadata()


def _fix_damaged(paths: CompetitionPaths) -> str:
    return f"Restore the file, or make new folds: {command('folds', COMPETITION=paths.name, FORCE=1)}"


def folds_fingerprint(paths: CompetitionPaths) -> str:
    """Returns a fingerprint of the folds table that does not depend on the order of its rows or on line ends."""
    return _fingerprint(read_folds_table(paths))


def _fingerprint(table: pd.DataFrame) -> str:
    ordered = table[["id", "group", "fold"]].sort_values("id")
    return sha256_of_text(ordered.to_csv(index=False, lineterminator="\n"))


def write_folds(paths: CompetitionPaths, table: pd.DataFrame, metadata: dict) -> Path | None:
    """Writes the folds table and its metadata; a different earlier table is renamed, not overwritten.

    Args:
        paths: paths of the folds table and its metadata.
        table: a row per training sample: id, group, fold.
        metadata: settings and counts of the folds, for the JSON file beside the table.

    Returns:
        Path of the renamed earlier table; None if there was none.
    """
    with locks.lock(paths.folds_table):
        renamed = _set_aside(paths, _fingerprint(table)) if paths.folds_table.is_file() else None
        write_csv(table[["id", "group", "fold"]], paths.folds_table)
        json_files.write(metadata, paths.folds_metadata)
    return renamed


def _set_aside(paths: CompetitionPaths, new: str) -> Path | None:
    """Renames the existing folds table if it differs from the new one, or is damaged; returns its new path."""
    try:
        old = folds_fingerprint(paths)
    except UserError:
        old = DAMAGED  # runs may have been trained on it before
    if old == new:
        return None
    for file, suffix in ((paths.folds_table, "csv"), (paths.folds_metadata, "json")):
        if file.is_file():
            file.replace(paths.older_folds(old, suffix))
    return paths.older_folds(old)


def check_folds(
    paths: CompetitionPaths, ids: pd.Series, fold_facts: FoldFacts, unreadable: Collection[str] = ()
) -> pd.DataFrame:
    """Reads the existing folds table and checks that it still fits the data and competition.yaml.

    Args:
        paths: paths of the folds table and its metadata.
        ids: ids of the readable training samples.
        fold_facts: the key `folds` of competition.yaml.
        unreadable: additional ids that the table may hold: their images may be readable on another machine. Defaults
            to none.

    Raises:
        UserError: the ids differ from the data, or K, seed or method differ from competition.yaml.
    """
    table = read_folds_table(paths)
    new_folds = command("folds", COMPETITION=paths.name, FORCE=1)
    fix = f"To make new folds (scores of older runs cannot be compared with new ones): {new_folds}"
    missing, new = set(table["id"]) - set(ids) - set(unreadable), set(ids) - set(table["id"])
    if missing or new:
        count = count_of(len(missing) + len(new), "id differs", "ids differ")
        named = (
            f"{len(differing):,} {word}: {shorten_list(sorted(differing))}"
            for word, differing in (("new", new), ("missing", missing))
            if differing
        )
        restore = f"To restore data or table: {command('download', COMPETITION=paths.name)}, or git checkout folds"
        what = f"{count} from the data ({'; '.join(named)})"
        raise UserError(what, paths.folds_table, f"{restore}. {fix}")
    saved = read_folds_metadata(paths.folds_metadata).folds
    if saved and saved.model_dump() != fold_facts.model_dump():
        old, current = (
            {f"{key}={value}" for key, value in settings.model_dump().items()} for settings in (saved, fold_facts)
        )
        what = f"made with {', '.join(sorted(old - current))}, competition.yaml has {', '.join(sorted(current - old))}"
        raise UserError(what, paths.folds_table, f"Change it back in competition.yaml; or, {fix[0].lower()}{fix[1:]}")
    if (is_unknown := table["fold"] >= fold_facts.k).any() and saved:
        row = is_unknown.to_numpy().nonzero()[0][0]
        name, fold = table.loc[row, ["id", "fold"]]
        raise UserError(
            f"{name} is in fold {fold}, expected 0 to {fold_facts.k - 1}", paths.folds_table, _fix_damaged(paths)
        )
    if table["fold"].max() + 1 != fold_facts.k or table["fold"].nunique() != fold_facts.k:
        raise UserError(
            f"the table has {count_of(table['fold'].nunique(), 'fold')}, competition.yaml has {fold_facts.k}",
            paths.folds_table,
            f"Set folds.k back. {fix}",
        )
    return table
