"""One predictor of an ensemble, for new images and for a hidden test set; and how predictions of runs are combined.

What is uploaded, what `make predict` says of an image and what the notebook says of it are made by the same steps: the
mean over a run's folds (each to nine digits, as test.csv has it), then what the ensemble's choice makes of the runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.competition import Competition, ImageSettings, Recipe
from medfold.ensemble.fold_mean import weighted_sum
from medfold.errors import UserError, shorten_list
from medfold.processes import silence_native_output
from medfold.scoring import FittedTransform, aggregate_predictions

BATCH = 64  # images that a net is asked about at a time


@dataclass(frozen=True)
class Member:
    """The trained folds of a run.

    Args:
        name: of the run.
        recipe: that they were trained by.
        weights: a file for each fold.
    """

    name: str
    recipe: Recipe
    weights: list[Path]


class PredictionLimit(NamedTuple):
    """How much is asked of the nets.

    Args:
        folds: of each run, at most.
        views: of each image, at most.
    """

    folds: int
    views: int


class EnsemblePredictor:
    """Predicts images with the trained folds of one run or several.

    One net of each run is given the weights of each fold in turn: building and compiling a net takes longer than
    predicting some images with it.

    Args:
        competition: the facts that the runs were trained under.
        members: the runs, in the order in which the ensemble takes them.
        fitted: how they are put together.
        batch_size: images that a net is asked about at a time. Defaults to 64.

    Attributes:
        options: the different ways in which the runs want an image prepared.

    Raises:
        UserError: a damaged weights file, or weights of another net.
    """

    def __init__(
        self, competition: Competition, members: Sequence[Member], fitted: FittedTransform, batch_size: int = BATCH
    ):
        self._competition, self._fitted = competition, fitted
        self._runs = [_RunPredictor(competition, member, batch_size) for member in members]
        self.options: list[ImageSettings] = []
        for member in members:
            if member.recipe.images not in self.options:
                self.options.append(member.recipe.images)
        self._option_of = [self.options.index(member.recipe.images) for member in members]

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self._runs)

    @property
    def most(self) -> PredictionLimit:
        """The most folds and views that any run has."""
        return PredictionLimit(max(run.folds for run in self._runs), max(run.views for run in self._runs))

    def cost(self, limit: PredictionLimit) -> int:
        """How often a net looks at an image within a limit."""
        return sum(min(limit.folds, run.folds) * min(limit.views, run.views) for run in self._runs)

    def predict(self, pixels: Sequence[np.ndarray], limit: PredictionLimit | None = None) -> list[np.ndarray]:
        """What each run predicts of some images.

        Args:
            pixels: uint8 (n, size, size, channels), for each of `options`.
            limit: asks fewer folds or views. Defaults to all.

        Returns:
            float64 (n, columns) for each run: the mean of its folds.
        """
        return [run(pixels[option], limit) for run, option in zip(self._runs, self._option_of, strict=True)]

    def combine(
        self,
        ids: Sequence[str],
        predictions: Sequence[np.ndarray],
        unit: pd.Series | None = None,
        fitted: FittedTransform | None = None,
    ) -> pd.DataFrame:
        """The runs put together.

        Args:
            ids: of the images.
            predictions: float64 (n, columns) for each run, as `predict` gives them.
            unit: the unit of each image, by id. Defaults to each image by itself.
            fitted: how they are put together. Defaults to the ensemble's choice.

        Returns:
            A table: id (of the unit) and prediction columns.
        """
        unit = pd.Series(ids, index=ids, dtype=object) if unit is None else unit
        tables = []
        for values in predictions:
            table = pd.DataFrame(values, columns=self._competition.prediction_columns)
            table.insert(0, "id", np.asarray(ids, dtype=object))
            tables.append(table)
        return combine(
            self._competition, {f"run {n}": table for n, table in enumerate(tables)}, unit, fitted or self._fitted
        )


def combine(
    competition: Competition, runs: dict[str, pd.DataFrame], unit: pd.Series, fitted: FittedTransform
) -> pd.DataFrame:
    """Predictions of runs put together, a row for each unit.

    Args:
        runs: by name, id (of the image) and prediction columns; the same images in each.
        unit: the unit of each image, by id.
        fitted: how they are put together.

    Returns:
        id (of the unit) and prediction columns.

    Raises:
        UserError: runs that predict different units.
    """
    ids, stack = _stacked(competition, runs, unit)
    table = pd.DataFrame(fitted.apply(stack) if len(ids) else stack[0], columns=competition.prediction_columns)
    table.insert(0, "id", ids)
    return table


def _stacked(competition: Competition, runs: dict[str, pd.DataFrame], unit: pd.Series) -> tuple[pd.Index, np.ndarray]:
    """The units that runs predict, and what each predicts of them: float64 (runs, units, columns)."""
    tables = {name: aggregate_predictions(competition, table, unit).set_index("id") for name, table in runs.items()}
    (first, one), *_ = tables.items()
    for name, found in tables.items():
        if differ := set(found.index) ^ set(one.index):
            what = f"{len(differ)} test units differ from {first}: {shorten_list(sorted(differ))}"
            raise UserError(what, name, "Runs that are put together must predict the same images")
    ids = one.index
    return ids, np.stack(
        [found.loc[ids, competition.prediction_columns].to_numpy(np.float64) for found in tables.values()]
    )


class _RunPredictor:
    """The mean over the folds of a run."""

    def __init__(self, competition: Competition, member: Member, batch_size: int):
        with silence_native_output(show_on_error=True):  # TensorFlow tells at length which GPUs it does not find
            from medfold.prediction import Predictor, load_model, read_weights

        first, *others = member.weights
        self._net = load_model(competition, member.recipe, first)
        self._weights = [self._net.get_weights()]
        for weights in others:
            read_weights(self._net, weights)
            self._weights.append(self._net.get_weights())
        self._predictor = Predictor(self._net, competition.images.symmetry, member.recipe.tta, batch_size=batch_size)
        self.folds, self.views = len(self._weights), self._predictor.num_views
        size = member.recipe.images.size
        # Compiled now, so that the first images tell the pace of the others.
        self._predictor(np.zeros((1, size, size, competition.images.num_channels), np.uint8), np.arange(1), num_views=1)

    def __call__(self, pixels: np.ndarray, limit: PredictionLimit | None) -> np.ndarray:
        rows, outputs = np.arange(len(pixels)), []
        for weights in self._weights[: limit.folds if limit else None]:
            self._net.set_weights(weights)
            outputs.append(_as_written(self._predictor(pixels, rows, num_views=limit.views if limit else None)))
        return weighted_sum(outputs, [1.0] * len(outputs))


def _as_written(values: np.ndarray) -> np.ndarray:
    """To nine digits, as a fold's test.csv has them."""
    return np.char.mod("%.9g", values).astype(np.float64)
