"""OOF scores of runs, updated while their folds are trained."""

from collections.abc import Callable

from medfold.competition import Competition
from medfold.data import Dataset
from medfold.runs import write_oof
from medfold.scoring import OofScore


class RunScores:
    """Computes the OOF score of a run after each of its folds.

    Args:
        competition: the competition that the runs belong to; oof.csv and score.json are written to its runs/.
        dataset: the samples, with their targets and folds.
        after_fold: called with the name of a run after each of its folds. Defaults to nothing.
    """

    def __init__(self, competition: Competition, dataset: Dataset, after_fold: Callable[[str], None] | None = None):
        self._competition = competition
        self._dataset = dataset
        self._after_fold = after_fold
        self._scores: dict[str, OofScore | None] = {}

    def fold_trained(self, run_name: str) -> None:
        """Updates the score of a run of which a fold was trained just now."""
        self._scores[run_name] = self._score(run_name)
        if self._after_fold:
            self._after_fold(run_name)

    def of(self, run_name: str) -> OofScore | None:
        """Returns the score of a run, as `write_oof` does; it is computed now if no fold was trained before."""
        if run_name not in self._scores:
            self._scores[run_name] = self._score(run_name)
        return self._scores[run_name]

    def _score(self, run_name: str) -> OofScore | None:
        run_paths, data = self._competition.paths.run(run_name), self._dataset
        return write_oof(self._competition.facts, run_paths, data.train, data.targets)
