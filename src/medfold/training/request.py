"""A request to train a run, as typed."""

from dataclasses import dataclass, field
from typing import Any

from medfold.competition import Project, Recipe, load_recipe, run_name
from medfold.training import parallel


@dataclass(frozen=True)
class TrainingRequest:
    """A request to train a run, with the variables of `make train`.

    Args:
        recipe: name of the recipe. Defaults to `baseline`.
        overrides: values that replace those of the recipe.
        seed: seed of the order, the augmentation and the initial weights. Defaults to 0.
        run: name of the run. Defaults to a name made of recipe, seed and overrides.
        folds: the folds to train. Defaults to all that are missing.
        jobs: how many folds to train at once, each in a child process: a number or `auto`. Defaults to 1.
        thread_shares: number of parts that the CPU threads are divided into, one for each fold of the whole request,
            done or not: a fold then always gets the same number of threads, and so the same bytes. Defaults to the
            number of requested folds.
        workers: how many processes make the batches of a training: a number or `auto`. Defaults to `auto`.
    """

    recipe: str = "baseline"
    overrides: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    run: str | None = None
    folds: list[int] | None = None
    jobs: str = "1"
    thread_shares: int | None = None
    workers: str = "auto"

    @property
    def run_name(self) -> str:
        """Name of the run."""
        return self.run or run_name(self.recipe, self.seed, self.overrides)

    def recipe_of(self, project: Project) -> Recipe:
        """Returns the recipe with the overrides applied.

        Raises:
            UserError: the recipe or a key does not exist, or a value is wrong.
        """
        return load_recipe(project.paths, project.workspace.base_folder, self.recipe, self.overrides)


def check_parallelism(request: TrainingRequest) -> None:
    """Checks that jobs and workers are each a number or `auto`.

    Raises:
        UserError: one of them is neither.
    """
    parallel.resolve_jobs(request.jobs, 1)
    parallel.resolve_workers(request.workers)
