"""A request to train a run."""

from dataclasses import dataclass, field
from typing import Any

from medfold.competition import Competition, Recipe, load_recipe, run_name


@dataclass(frozen=True)
class TrainingRequest:
    """A request to train a run, with the variables of `make train`.

    Args:
        recipe_name: name of the recipe. Defaults to `baseline`.
        overrides: values that replace values of the recipe.
        seed: seed of the order, the augmentation and the initial weights. Defaults to 0.
        given_name: name of the run, as the user gave it. Defaults to a name made of recipe, seed and overrides.
        fold_numbers: numbers of the folds to train. Defaults to all that are missing.
        jobs: how many folds to train at once, each in a child process; None for one per GPU, else one per core.
            Defaults to 1.
        thread_shares: number of parts that the CPU threads are divided into, one for each fold of the whole request,
            trained or not: a fold then always gets the same number of threads, and so the same bytes. Defaults to the
            number of requested folds.
        workers: how many processes make the batches of a training. Defaults to a number that suits the machine.
    """

    recipe_name: str = "baseline"
    overrides: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    given_name: str | None = None
    fold_numbers: list[int] | None = None
    jobs: int | None = 1
    thread_shares: int | None = None
    workers: int | None = None

    @property
    def run_name(self) -> str:
        """Name of the run."""
        return self.given_name or run_name(self.recipe_name, self.seed, self.overrides)

    def load_recipe(self, competition: Competition) -> Recipe:
        """Loads the recipe with the overrides applied.

        Raises:
            UserError: the recipe or a key does not exist, or a value is wrong.
        """
        return load_recipe(competition.paths, self.recipe_name, self.overrides)
