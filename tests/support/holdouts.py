"""A competition without a test set: some labelled images become the holdout."""

import shutil
from pathlib import Path

from medfold.commands.download import download
from medfold.competition import Competition
from tests.support.helpers import picture, replaced
from tests.support.small_project import add_competition

FACTS = """title: Hold-out
source: {kind: kaggle_dataset, slug: a/b}
upload: none
task: binary
classes: [no, yes]
labels: {layout: folders, targets: [sick], holdout: 0.3}
images: {train: "{label}/{id}.png", channels: 1}
score: {metric: auc}
folds: {k: 3, duplicates: exact}
"""


def add_holdout_project(root: Path, given: Path) -> Competition:
    """Adds a competition of 40 images, each under two names, and one that cannot be read; downloads it from `given`."""
    for number in range(40):
        first = given / ("yes" if number % 4 == 0 else "no") / f"{number:02}.png"
        picture(first, seed=number)
        shutil.copy(first, first.with_name(f"copy{number:02}.png"))
    (given / "no" / "broken.png").write_bytes(b"no picture")
    add_competition(root, "cut", replaced(FACTS, ("channels: 1", "channels: 1, max_unreadable: 0.05")))
    competition = Competition.open("cut")
    download(competition, path=given)
    return competition
