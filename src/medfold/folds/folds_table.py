"""The folds table: kept in folds/, checked against the samples each time."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from medfold import files
from medfold.competition import FoldFacts
from medfold.errors import UserError, shorten_list
from medfold.paths import CompetitionPaths


def read_folds(paths: CompetitionPaths) -> pd.DataFrame:
    """The folds table: id, group, fold.

    Raises:
        UserError: a missing column, an id that stands twice, or a fold that is no number.
    """
    table = files.read_csv(paths.folds)
    for column in ("id", "group", "fold"):
        if column not in table:
            raise UserError(f"no column '{column}'", paths.folds, "Expected id,group,fold")
    if table["id"].duplicated().any():
        raise UserError(f"ids stand twice: {shorten_list(table['id'][table['id'].duplicated()])}", paths.folds)
    if not pd.api.types.is_integer_dtype(table["fold"]) or (table["fold"] < 0).any():
        raise UserError("column 'fold' holds something else than numbers 0..K-1", paths.folds)
    return table


def folds_fingerprint(paths: CompetitionPaths) -> str:
    """A fingerprint of what the folds table says, whatever the order of its rows and its line ends are."""
    return _fingerprint(read_folds(paths))


def _fingerprint(table: pd.DataFrame) -> str:
    ordered = table[["id", "group", "fold"]].sort_values("id")
    return files.sha256_of_text(ordered.to_csv(index=False, lineterminator="\n"))


def write_folds(paths: CompetitionPaths, table: pd.DataFrame, origin: dict) -> Path | None:
    """Writes the folds table and, beside it, how it was made; other folds that were there are kept under another name.

    Returns:
        Where those are kept; None if there were none.
    """
    with files.lock(paths.folds):
        kept = _set_aside(paths, _fingerprint(table)) if paths.folds.is_file() else None
        files.write_csv(table[["id", "group", "fold"]], paths.folds)
        files.write_json(origin, paths.folds_metadata)
    return kept


def _set_aside(paths: CompetitionPaths, new: str) -> Path | None:
    try:
        old = folds_fingerprint(paths)
    except UserError:
        return None  # no folds table: nothing was trained on it
    if old == new:
        return None
    for file, suffix in ((paths.folds, "csv"), (paths.folds_metadata, "json")):
        if file.is_file():
            file.replace(paths.older_folds(old, suffix))
    return paths.older_folds(old)


def check_folds(
    paths: CompetitionPaths, ids: pd.Series, options: FoldFacts, unreadable: Collection[str] = ()
) -> pd.DataFrame:
    """The kept folds table, if it still fits data and facts.

    Args:
        ids: of the training samples.
        options: as competition.yaml has them.
        unreadable: ids that the table may have, too: on another machine their images could be read.

    Raises:
        UserError: other ids than the data has, or another K, seed or method than competition.yaml says.
    """
    table = read_folds(paths)
    again = f"To make new folds (scores of older runs will not compare): make folds COMPETITION={paths.name} FORCE=1"
    gone, new = set(table["id"]) - set(ids) - set(unreadable), set(ids) - set(table["id"])
    if gone or new:
        count = len(gone) + len(new)
        raise UserError(f"{count} ids differ from the data ({len(new)} new, {len(gone)} gone)", paths.folds, again)
    made = (files.read_json(paths.folds_metadata) or {}).get("folds")
    if made and (made := {"duplicates": "exact", **made}) != options.model_dump():  # older ones name no duplicates
        old, now = ({f"{k}={v}" for k, v in facts.items()} for facts in (made, options.model_dump()))
        was = f"made with {', '.join(sorted(old - now))}, competition.yaml says {', '.join(sorted(now - old))}"
        raise UserError(was, paths.folds, again)
    if table["fold"].max() + 1 != options.k or table["fold"].nunique() != options.k:
        raise UserError(
            f"it has {table['fold'].nunique()} folds, competition.yaml says {options.k}", paths.folds, again
        )
    return table
