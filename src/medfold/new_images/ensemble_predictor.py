"""Prediction with an ensemble, for new images and for a hidden test set.

The submission, `make predict` and the notebook use the same steps: the mean over the folds of each run (each fold
rounded to nine digits, as in test.csv), then the fitted ensemble of the runs.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts, PreparationSettings, Recipe, active_plugins, use_plugins
from medfold.ensemble import combine_runs, mean_of_arrays
from medfold.images import ImageBatch
from medfold.runs import has_many_columns
from medfold.scoring import FittedTransform
from medfold.system.gpu_processes import GpuProcesses
from medfold.system.native_output import silence_native_output
from medfold.tables import FLOAT_FORMAT

BATCH_SIZE = 64  # images per forward pass


@dataclass(frozen=True)
class MemberRun:
    """A run of an ensemble as it predicts, read from its folder or from a bundle.

    Args:
        name: name of the run.
        recipe: the recipe that it was trained with.
        weights_files: weights files, one per fold.
    """

    name: str
    recipe: Recipe
    weights_files: list[Path]


class PredictionLimit(NamedTuple):
    """Limit on the number of predictions per image.

    Args:
        max_folds: maximum number of folds of each run.
        max_views: maximum number of views (test-time augmentation) of each image.
    """

    max_folds: int
    max_views: int


class LimitedBatch(NamedTuple):
    """A batch of images, and the limit for its predictions; None for all folds and views."""

    images: ImageBatch
    limit: PredictionLimit | None


class BatchPredictions(NamedTuple):
    """Predictions of a batch.

    Args:
        runs: float64 (n, columns) for each run: the mean of its folds; empty if the batch has no readable image.
        seconds: time in the nets.
    """

    runs: list[np.ndarray]
    seconds: float


class EnsemblePredictor:
    """Predicts images with the trained folds of one or several runs.

    There is one net per run, which gets the weights of each fold in turn: building and compiling a net takes longer
    than predicting a few images with it.

    With several GPUs, a process for each has all nets, and gets whole batches in turn: a batch is predicted as by one
    process, so the bytes are the same. A block of `with` ends these processes.

    Args:
        facts: facts of the competition that the runs were trained with.
        members: the runs, in the order of the members of the ensemble.
        fitted: combines the predictions of the runs.
        batch_size: images per forward pass. Defaults to 64.
        gpus: names of the GPUs that share the batches, if there are several. Defaults to none: this process predicts.

    Attributes:
        preparations: the distinct ways in which the runs prepare images.

    Raises:
        UserError: a weights file is damaged, or belongs to another net.
    """

    def __init__(
        self,
        facts: CompetitionFacts,
        members: Sequence[MemberRun],
        fitted: FittedTransform,
        batch_size: int = BATCH_SIZE,
        gpus: Sequence[str] = (),
    ):
        self._facts = facts
        self._fitted = fitted
        self.preparations: list[PreparationSettings] = []
        for member in members:
            if member.recipe.preparation not in self.preparations:
                self.preparations.append(member.recipe.preparation)
        preparation_index = [self.preparations.index(member.recipe.preparation) for member in members]
        load = partial(_load_nets, facts, members, preparation_index, batch_size, active_plugins())
        self._processes = GpuProcesses("predict", gpus, load)
        self._limits_of_runs = self._processes.call(_limits_of_runs)

    def __enter__(self) -> "EnsemblePredictor":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._processes.__exit__(kind, error, traceback)

    @property
    def num_runs(self) -> int:
        """Number of runs whose predictions are combined."""
        return len(self._limits_of_runs)

    @property
    def num_processes(self) -> int:
        """Number of processes that predict at the same time."""
        return self._processes.num_processes

    @property
    def limits(self) -> PredictionLimit:
        """Largest number of folds and of views among the runs."""
        return PredictionLimit(*map(max, zip(*self._limits_of_runs, strict=True)))

    def cost(self, limit: PredictionLimit) -> int:
        """Returns the number of forward passes per image within a limit."""
        return sum(min(limit.max_folds, folds) * min(limit.max_views, views) for folds, views in self._limits_of_runs)

    def predict(self, batches: Iterable[LimitedBatch]) -> Iterator[tuple[LimitedBatch, BatchPredictions]]:
        """Predicts images with each run.

        Args:
            batches: batches of images, prepared for each of `preparations`. With several GPUs, up to two batches for
                each are taken before the first result.

        Yields:
            Each batch with its predictions, in the order of the batches.
        """
        yield from self._processes.map(_predict, batches)

    def combine(
        self,
        ids: Sequence[str],
        predictions: Sequence[np.ndarray],
        unit: pd.Series | None = None,
        fitted: FittedTransform | None = None,
    ) -> pd.DataFrame:
        """Combines the predictions of the runs.

        Args:
            ids: text (n,), the ids of the images.
            predictions: float64 (n, columns) for each run, as returned by `predict`.
            unit: the unit of each image, indexed by image id. Defaults to one unit per image.
            fitted: combines the predictions of the runs. Defaults to the `fitted` of the predictor.

        Returns:
            A table with `id` (of the unit) and the prediction columns.
        """
        unit = pd.Series(ids, index=ids, dtype=object) if unit is None else unit
        tables = []
        for values in predictions:
            table = pd.DataFrame(values, columns=self._facts.prediction_columns)
            table.insert(0, "id", np.asarray(ids, dtype=object))
            tables.append(table)
        return combine_runs(
            self._facts, {f"run {n}": table for n, table in enumerate(tables)}, unit, fitted or self._fitted
        )


class _Nets(NamedTuple):
    """The nets of an ensemble, and which of the preparations each run gets."""

    runs: list["_RunPredictor"]
    preparation_index: list[int]


def _load_nets(
    facts: CompetitionFacts,
    members: Sequence[MemberRun],
    preparation_index: list[int],
    batch_size: int,
    plugins: Path | None,
) -> _Nets:
    use_plugins(plugins)
    return _Nets([_RunPredictor(facts, member, batch_size) for member in members], preparation_index)


def _limits_of_runs(nets: _Nets) -> list[PredictionLimit]:
    """Returns the number of folds and of views of each run."""
    return [PredictionLimit(run.num_folds, run.num_views) for run in nets.runs]


def _predict(nets: _Nets, batch: LimitedBatch) -> BatchPredictions:
    images, limit = batch
    if not len(images.rows):
        return BatchPredictions([], 0.0)
    began = time.monotonic()
    runs = [run(images.pixels[index], limit) for run, index in zip(*nets, strict=True)]
    return BatchPredictions(runs, time.monotonic() - began)


class _RunPredictor:
    """Mean prediction over the folds of a run."""

    def __init__(self, facts: CompetitionFacts, member: MemberRun, batch_size: int):
        with silence_native_output(show_on_error=True):  # TensorFlow logs missing GPUs
            from medfold.prediction import Predictor, load_net, read_weights

        first, *others = member.weights_files
        self._net = load_net(facts, member.recipe, first)
        self._weights = [self._net.get_weights()]
        for weights in others:
            read_weights(self._net, weights)
            self._weights.append(self._net.get_weights())
        self._predictor = Predictor(self._net, facts.images.symmetry, member.recipe.tta, batch_size=batch_size)
        self.num_folds, self.num_views = len(self._weights), self._predictor.num_views
        size = member.recipe.preparation.size
        # Compiled now, so that the time of the first images is representative of the others.
        self._predictor(np.zeros((1, size, size, facts.images.num_channels), np.uint8), np.arange(1), num_views=1)

    def __call__(self, pixels: np.ndarray, limit: PredictionLimit | None) -> np.ndarray:
        rows = np.arange(len(pixels))
        outputs = []
        for weights in self._weights[: limit.max_folds if limit else None]:
            self._net.set_weights(weights)
            outputs.append(_rounded(self._predictor(pixels, rows, num_views=limit.max_views if limit else None)))
        return mean_of_arrays(outputs)


def _rounded(values: np.ndarray) -> np.ndarray:
    """Rounds as a fold's test.csv does; test.npz holds float32."""
    if has_many_columns(values.shape[1]):
        return values.astype(np.float64)
    return np.char.mod(FLOAT_FORMAT, values).astype(np.float64)
