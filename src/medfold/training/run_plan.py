"""The plan of a training: the folder of the run, its missing folds, and their inputs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medfold.competition import Competition, Recipe, plugins_hash, setting_errors_located
from medfold.data import Dataset
from medfold.images import load_store, store_key
from medfold.paths import RunPaths
from medfold.project_root import display_path
from medfold.terminal.console import say
from medfold.text import count_of, folds_as_text
from medfold.training.features_file import features_path, remove_damaged_features
from medfold.training.fold_inputs import FoldInputs
from medfold.training.loop.checkpoint import remove_checkpoint
from medfold.training.request import TrainingRequest
from medfold.training.run_inputs import RunInputs
from medfold.training.run_start import begin_run, remove_run_if_no_fold_started, requested_folds


@dataclass(frozen=True)
class RunPlan:
    """What is to be trained of a run.

    Args:
        request: the request.
        recipe: the recipe that is requested, with its overrides.
        run_paths: paths of the run; run.json is written.
        requested_numbers: numbers of the requested folds, trained or not.
        folds: the requested folds that are not trained yet.
        plugins: plugins.py of the competition; need not exist.
    """

    request: TrainingRequest
    recipe: Recipe
    run_paths: RunPaths
    requested_numbers: Sequence[int]
    folds: list[FoldInputs]
    plugins: Path

    @property
    def fold_numbers(self) -> list[int]:
        """Numbers of the folds to train."""
        return [fold.number for fold in self.folds]

    def __str__(self) -> str:
        """Describes what is going to be trained: run, net, size, epochs and folds."""
        training = self.recipe.training
        epochs = count_of(training.epochs, "epoch")
        if training.head_epochs:
            epochs = f"{training.head_epochs} + {epochs}"
        net = f"{self.recipe.backbone.name}, {self.recipe.preparation.size} px"
        return f"{self.run_paths.name}: {net}, {epochs}, {folds_as_text(self.fold_numbers)}"


@contextmanager
def open_plan(
    competition: Competition, request: TrainingRequest, recipe: Recipe, dataset: Dataset
) -> Iterator[RunPlan]:
    """Opens a run, or creates it, and plans its training, which is carried out within the block.

    Prints a line if nothing is left to train. Damaged features are removed, and checkpoints of trained folds, which a
    killed process may have left. Within the block, an error in the value of a key is raised with the file that holds
    the key. After an error, a run of which no fold has started is removed.

    Args:
        competition: the competition that the run belongs to; run.json is written to its runs/.
        request: seed and folds of the run.
        recipe: the recipe that is requested, with its overrides.
        dataset: the samples, with their targets and folds.

    Raises:
        UserError: the run was started with a different recipe, folds table or store.
    """
    run_paths, missing = begin_run(competition, request, recipe)
    with (
        remove_run_if_no_fold_started(run_paths),
        setting_errors_located(competition.paths, request.recipe_name, request.overrides),
    ):
        requested = requested_folds(competition, request)
        for number in set(requested) - set(missing):
            remove_checkpoint(run_paths.fold(number).checkpoint)
        folds = []
        if missing:
            if recipe.training.head_epochs:
                remove_damaged_features(features_path(competition, recipe))
            inputs = _run_inputs(competition, recipe, request, dataset)
            folds = [FoldInputs(inputs, number, run_paths.fold(number)) for number in missing]
        else:
            numbers = request.fold_numbers
            what = "all folds are trained" if numbers is None else f"trained: {folds_as_text(numbers)}"
            say("train", f"{what} in {display_path(run_paths.folder)}")
        yield RunPlan(request, recipe, run_paths, requested, folds, competition.paths.plugins)


def _run_inputs(competition: Competition, recipe: Recipe, request: TrainingRequest, dataset: Dataset) -> RunInputs:
    """Returns what the folds of a run are trained from: its settings, and the store of its prepared images."""
    return RunInputs(
        facts=competition.facts,
        recipe=recipe,
        seed=request.seed,
        store=load_store(competition.paths, store_key(competition, recipe.preparation)),
        train=dataset.train,
        targets=dataset.targets,
        test=dataset.test,
        features_file=features_path(competition, recipe),
        num_workers=request.workers,
        plugins_hash=plugins_hash(competition.paths.plugins),
    )
