"""How long do folds and audit of a million images take, and how much memory?

    .venv/bin/python benchmarks/million.py

A synthetic table of 1,000,000 training images in 100,000 groups, 2 % positive, a tenth of a percent of them exact
duplicates of another group's image, and 100,000 test images; pixel hashes are given. Joins duplicates, makes 5
stratified folds of whole groups, audits. Fails if it takes over 90 seconds, or 2 GB. About a minute.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd

from medfold.competition.facts_sections import FoldFacts
from medfold.folds.duplicate_groups import merge_groups
from medfold.folds.leaks import find_leaks
from medfold.folds.splitters import assign_folds
from results import Result, run

IMAGES, GROUPS, TEST = 1_000_000, 100_000, 100_000
SECONDS, GIGABYTES = 90, 2


def measure(rounds: int = 1) -> list[Result]:
    """Folds and audit, so many times; the slowest counts."""
    rng, seconds = np.random.default_rng(0), []
    positive = rng.random(GROUPS) < 0.02
    groups = rng.integers(GROUPS, size=IMAGES)
    ids = pd.Series([f"image{number:07d}" for number in range(IMAGES)])
    digests = np.arange(IMAGES)
    digests[rng.choice(IMAGES, IMAGES // 1000, replace=False)] = rng.integers(IMAGES, size=IMAGES // 1000)
    hashes = pd.Series([f"{digest:032x}" for digest in digests])
    test = pd.DataFrame({"id": [f"test{number:06d}" for number in range(TEST)]})
    test["pixel_hash"] = [f"{digest:032x}" for digest in rng.integers(IMAGES, 2 * IMAGES, TEST)]
    for _ in range(rounds):
        began = time.perf_counter()
        train = pd.DataFrame({"id": ids, "group": merge_groups(groups, hashes.to_numpy()), "pixel_hash": hashes})
        targets = positive[groups].astype(np.int64)
        options = FoldFacts(k=5, method="stratified_group")
        train["fold"] = assign_folds(ids, targets, train["group"].to_numpy(), options)
        found = find_leaks(train, test, targets)
        seconds.append(time.perf_counter() - began)
        if found.split_groups or not found.duplicates:
            raise SystemExit("the audit is wrong")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    what = f"{IMAGES:,} images in {GROUPS:,} groups"
    return [
        Result(f"{what}, seconds over {SECONDS}", f"{max(seconds):.0f} s", max(seconds) / SECONDS, 1, at_most=True),
        Result(f"{what}, memory over {GIGABYTES} GB", f"{memory:.2f} GB", memory / GIGABYTES, 1, at_most=True),
    ]


if __name__ == "__main__":
    run(measure, __doc__, rounds=1)
