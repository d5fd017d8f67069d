"""The holdout of `labels.holdout`: training images that become the test set, once."""

import numpy as np
import pandas as pd

from medfold.competition import Competition, CompetitionFacts
from medfold.data.sample_files import write_samples
from medfold.data.targets import encode_targets
from medfold.folds import NearDuplicates, join_duplicates, select_holdout
from medfold.paths import CompetitionPaths
from medfold.system import locks
from medfold.terminal.console import say


def set_aside_holdout(competition: Competition, all_samples: pd.DataFrame, near: NearDuplicates | None) -> pd.DataFrame:
    """Chooses the holdout, moves it to the test set and writes the sample table and the solution.

    Images that cannot be read stay in the training set, where they are left out.

    Args:
        competition: the competition; `labels.holdout` is the share of its images.
        all_samples: the sample table, all of it in the training set, with `unreadable_reason` and `pixel_hash` of each
            image.
        near: near-duplicates that join groups; None to join groups by equal pixels only.

    Returns:
        The sample table with the new test set, in the same order, with `unreadable_reason` and `pixel_hash`.

    Raises:
        UserError: too few groups for a holdout of this share.
    """
    facts = competition.facts
    share = competition.facts.labels.holdout
    is_readable = (all_samples["unreadable_reason"] == "").to_numpy()
    readable = all_samples[is_readable]
    in_holdout = np.zeros(len(all_samples), bool)
    targets = encode_targets(facts, readable)
    groups = join_duplicates(readable, near)
    in_holdout[is_readable] = select_holdout(readable["id"], targets, groups, share, facts.folds.seed)
    columns = all_samples.drop(columns=["unreadable_reason", "pixel_hash"])
    with locks.lock(competition.paths.samples):
        table = _write_holdout(facts, competition.paths, columns, in_holdout)
    count, total = in_holdout.sum(), is_readable.sum()
    moved = f"{count:,} of {total:,} images ({count / total:.1%}, {share:.1%} requested)"
    say("holdout", f"{moved} become the test set; copies of an image stay together")
    return table.assign(unreadable_reason=all_samples["unreadable_reason"], pixel_hash=all_samples["pixel_hash"])


def _write_holdout(
    facts: CompetitionFacts, paths: CompetitionPaths, table: pd.DataFrame, in_holdout: np.ndarray
) -> pd.DataFrame:
    """Moves the holdout to the test set and hides its labels, for a local leaderboard; writes both.

    Args:
        facts: facts of the competition (`labels.holdout`).
        paths: paths of the competition; sample table, solution and sample submission are written again.
        table: the sample table, all of it in the training set.
        in_holdout: bool (n,), True for samples of the holdout.

    Returns:
        The sample table, as it was written.
    """
    targets = facts.labels.targets
    test = table[in_holdout]
    solution = test[["unit", *targets]].rename(columns={"unit": "id"}).assign(usage="Private").drop_duplicates("id")
    table = table.assign(part=np.where(in_holdout, "test", "train"))
    table.loc[in_holdout, targets] = None
    write_samples(facts, paths, table, solution, needs_holdout=False)
    return table
