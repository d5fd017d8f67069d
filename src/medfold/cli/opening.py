"""Opens the competition that a command works on, and checks it before the work begins."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from medfold.cli.options import check_given
from medfold.terminal.command_text import variable

if TYPE_CHECKING:
    from medfold.competition import Competition

Folder = Literal["data", "folds", "runs", "submissions"]  # folders of a competition that commands write to


@contextmanager
def open_competition(
    name: str, writes: Sequence[Folder] = (), recipe: str | None = None, overrides: dict[str, Any] | None = None
) -> Iterator["Competition"]:
    """Opens a competition for the command within the block, and checks its metrics, its source and its upload.

    A SettingError within the block becomes a UserError that also names the file with the key.

    Args:
        name: name of the competition.
        writes: the folders of the competition that the command writes to; they are checked before its work begins.
            Defaults to none.
        recipe: name of the recipe that the command uses. Defaults to none.
        overrides: keys of the recipe that SET changes, nested. Defaults to none.

    Raises:
        UserError: none is given, no such competition, an error in its competition.yaml, or a folder that cannot be
            written to.
    """
    from medfold.competition import Competition, kaggle_slug, setting_errors_located
    from medfold.data import open_source
    from medfold.scoring import metric_of
    from medfold.system import files

    check_given(name, "COMPETITION", variable("COMPETITION", "phantom-chest"))
    competition = Competition.open(name)
    score = competition.facts.score
    paths = competition.paths
    folders: dict[Folder, Path] = {
        "data": paths.data,
        "folds": paths.folds_table.parent,
        "runs": paths.runs,
        "submissions": paths.submissions,
    }
    with setting_errors_located(paths, recipe, overrides):
        for metric in (score.metric, *score.more_metrics):
            metric_of(competition.facts, metric)
        open_source(competition)
        if competition.facts.upload != "none":
            kaggle_slug(competition.facts)
        for folder_name, folder in folders.items():
            check = files.check_writable if folder_name in writes else files.check_folder
            check(folder)
        yield competition
