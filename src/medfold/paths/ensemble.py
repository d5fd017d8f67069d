"""Paths of the files of an ensemble: in the folder of its run; of several runs, under their joined names."""

from dataclasses import dataclass
from pathlib import Path

from medfold.earlier_versions import FORMER_PROBABILITIES_ENDING, PROBABILITIES_ENDING
from medfold.paths.competition import CompetitionPaths
from medfold.paths.run import RunPaths
from medfold.system.hashes import fingerprint

MAX_NAME_LENGTH = 120  # letters of the joined run names in a file name


@dataclass(frozen=True)
class EnsemblePaths:
    """Paths of the files of an ensemble of one run or several.

    Args:
        competition_paths: paths of the competition of the runs.
        run_names: names of the runs.
    """

    competition_paths: CompetitionPaths
    run_names: list[str]

    @property
    def name(self) -> str:
        """Names of the runs, joined: `a+b`."""
        return combined_name(self.run_names)

    @property
    def report(self) -> Path:
        """The web page: `<run>/report.html`, or `<a+b>.html`."""
        return self._first_run.report if self._is_one_run else self.competition_paths.runs / f"{self.name}.html"

    @property
    def fitted(self) -> Path:
        """How the runs are combined: `<run>/ensemble.npz`, or `<a+b>.ensemble.npz`."""
        if self._is_one_run:
            return self._first_run.folder / "ensemble.npz"
        return self.competition_paths.runs / f"{self.name}.ensemble.npz"

    @property
    def fitted_probabilities(self) -> Path:
        """How they are combined to probabilities, where `fitted` gives decisions or ranks; need not exist."""
        return self.fitted.with_suffix(PROBABILITIES_ENDING)

    @property
    def former_fitted_probabilities(self) -> Path:
        """The same, as earlier versions of medfold named it."""
        return self.fitted.with_suffix(FORMER_PROBABILITIES_ENDING)

    @property
    def fitted_metadata(self) -> Path:
        """Hashes of the inputs and the files of the fitted ensemble; written last."""
        return self.fitted.with_suffix(".json")

    @property
    def notebook(self) -> Path:
        """Folder of bundle and notebook for a submission: `<run>/notebook`, or `notebook-<a+b>` beside it."""
        folder = self._first_run.notebook
        return folder if self._is_one_run else folder.with_name(f"{folder.name}-{self.name}")

    @property
    def _first_run(self) -> RunPaths:
        return self.competition_paths.run(self.run_names[0])

    @property
    def _is_one_run(self) -> bool:
        return len(self.run_names) == 1


def combined_name(run_names: list[str]) -> str:
    """Joins run names for a file name; if that is too long: the first name, the number of others, and a hash."""
    joined = "+".join(run_names)
    if len(joined) <= MAX_NAME_LENGTH:
        return joined
    return f"{run_names[0][:MAX_NAME_LENGTH]}+{len(run_names) - 1}-{fingerprint(run_names, 6)}"
