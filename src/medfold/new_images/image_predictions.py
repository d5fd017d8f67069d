"""Prediction of raw images by the runs of an ensemble: one pass over the images, in batches."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from medfold.competition import CompetitionFacts
from medfold.images import read_batches
from medfold.new_images.ensemble_predictor import BATCH_SIZE, EnsemblePredictor, LimitedBatch
from medfold.new_images.time_budget import TimeBudget
from medfold.terminal.progress import progress_bar


class ImagePredictions(NamedTuple):
    """Predictions of images by each run.

    Args:
        is_predicted: bool (images,), False for images that are unreadable or were not reached.
        run_predictions: float64 (predicted images, columns) for each run.
        unreadable: the reason for each unreadable image, by position.
    """

    is_predicted: np.ndarray
    run_predictions: list[np.ndarray]
    unreadable: dict[int, str]


def predict_images(
    facts: CompetitionFacts,
    predictor: EnsemblePredictor,
    root: Path,
    image_paths: list[str],
    budget: TimeBudget | None = None,
) -> ImagePredictions:
    """Predicts images batch by batch, until all are predicted or the time is up.

    Args:
        facts: facts of the competition that the runs were trained with.
        predictor: predictor of the runs.
        root: folder of the images.
        image_paths: paths of the images below the folder.
        budget: the time, for which folds or views are left out if needed. Defaults to as long as it takes.
    """
    values = [np.zeros((len(image_paths), len(facts.prediction_columns))) for _ in range(predictor.num_runs)]
    is_predicted = np.zeros(len(image_paths), bool)
    unreadable = {}

    def batches_in_time() -> Iterator[LimitedBatch]:
        for images in read_batches(root, image_paths, facts.images, predictor.preparations, BATCH_SIZE):
            limit = budget.next_limit() if budget else None
            if budget and limit is None:
                return
            yield LimitedBatch(images, limit)

    with progress_bar("predict", len(image_paths)) as bar:
        for (images, limit), predictions in predictor.predict(batches_in_time()):
            unreadable |= images.unreadable
            if len(images.rows):
                for run_values, batch_values in zip(values, predictions.runs, strict=True):
                    run_values[images.rows] = batch_values
            is_predicted[images.rows] = True
            num_images = len(images.rows) + len(images.unreadable)
            if budget:
                budget.record(num_images, predictions.seconds / predictor.num_processes, limit)
            bar.advance(num_images)
    return ImagePredictions(is_predicted, [run_values[is_predicted] for run_values in values], unreadable)
