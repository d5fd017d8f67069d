"""A run as run.json describes it, whether or not folds of it are trained."""

from dataclasses import dataclass

from medfold import config
from medfold.competition import Competition, Recipe
from medfold.paths import RunPaths
from medfold.project_root import display_path
from medfold.runs.run_json import RunMetadata, read_run_json
from medfold.runs.run_names import checked_run_paths
from medfold.runs.train_command import train_command


@dataclass(frozen=True)
class Run:
    """A run that was started.

    Args:
        paths: paths of its files.
        metadata: the contents of run.json.
    """

    paths: RunPaths
    metadata: RunMetadata

    @classmethod
    def open(cls, competition: Competition, name: str, option: str = "RUNS") -> "Run":
        """Opens a run of a competition by its name.

        Args:
            competition: the competition of the run.
            name: name of the run.
            option: the variable that names it, for the error message. Defaults to RUNS.

        Raises:
            UserError: not a name of a run, no such run, or run.json is damaged.
        """
        return read_run(checked_run_paths(competition.paths, name, option))

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.paths.name

    @property
    def recipe(self) -> Recipe:
        """The recipe that it was trained with.

        Raises:
            UserError: run.json was edited, and holds none.
        """
        return config.validated(Recipe, self.metadata.recipe, self.paths.metadata)

    @property
    def is_optimistic(self) -> bool:
        """True if epochs were chosen on the folds that are scored."""
        return config.flat(self.metadata.recipe).get("training.keep") == "best"

    @property
    def num_folds(self) -> int:
        """Number of folds of its folds table, trained or not."""
        return self.metadata.num_folds

    def retrain_advice(self) -> str:
        """Returns what to do about folds whose predictions are damaged, for an error message."""
        folder = display_path(self.paths.folder)
        return f"Remove the folders of these folds in {folder}, and run: {self.train_command()}"

    def train_command(self, **changed: object) -> str:
        """Returns the command that trains it, as the user types it.

        Args:
            changed: variables to add, or whose value is replaced.
        """
        return train_command(self.paths, self.metadata.command, **changed)


def read_run(run_paths: RunPaths) -> Run:
    """Reads a run from its folder.

    Raises:
        UserError: no such run, or run.json is damaged.
    """
    return Run(run_paths, read_run_json(run_paths))
