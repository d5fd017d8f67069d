"""Prediction of new images, as a submission of the same runs would predict them."""

from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from medfold.competition import Competition, CompetitionFacts
from medfold.earlier_versions import PROBABILITY_PREFIX
from medfold.ensemble import FittedEnsemble
from medfold.errors import UserError
from medfold.new_images.ensemble_predictor import EnsemblePredictor, MemberRun
from medfold.new_images.image_predictions import predict_images
from medfold.runs import TrainedRun, predictions_table
from medfold.terminal.command_text import variable
from medfold.text import count_of


class NewPredictions(NamedTuple):
    """Predictions of new images.

    Args:
        table: `id` (path below the folder of images) and a column per class or label; for ordinal tasks also
            `expected`. If a submission holds decisions or ranks, also their probabilities: `probability of <column>`.
        unreadable: images that were left out, with the reason.
    """

    table: pd.DataFrame
    unreadable: dict[str, str]


def member_runs(competition: Competition, run_names: Sequence[str]) -> list[MemberRun]:
    """Returns runs with their recipes and the weights of their trained folds, in the order of the names.

    Raises:
        UserError: a run without a trained fold, or with a damaged one.
    """
    runs = [TrainedRun.open(competition, name) for name in run_names]
    return [MemberRun(run.name, run.recipe, run.weights_files) for run in runs]


def predict_new_images(
    facts: CompetitionFacts, predictor: EnsemblePredictor, ensemble: FittedEnsemble, root: Path, image_paths: list[str]
) -> NewPredictions:
    """Predicts images batch by batch; unreadable images are left out.

    Args:
        facts: facts of the competition that the runs were trained with.
        predictor: predictor of the runs.
        ensemble: how the runs are combined.
        root: folder of the images.
        image_paths: paths of the images below the folder.

    Raises:
        UserError: no image can be read.
    """
    columns = facts.prediction_columns
    images_of_any_size = facts.images.model_copy(update={"expected_shape": None})
    facts = facts.model_copy(update={"images": images_of_any_size})
    predicted = predict_images(facts, predictor, root, image_paths)
    ids = list(compress(image_paths, predicted.is_predicted))
    unreadable = {image_paths[row]: reason for row, reason in predicted.unreadable.items()}
    if not ids:
        image_path, reason = next(iter(unreadable.items()))
        what = f"none of {count_of(len(image_paths), 'image')} can be read; {image_path}: {reason}"
        given = root / image_path.partition("|")[0] if len(image_paths) == 1 else root
        raise UserError(what, variable("IMAGES", given), "Check that the files are complete")
    combined = predictor.combine(ids, predicted.run_predictions)
    table = predictions_table(facts, combined["id"], combined[columns].to_numpy())
    if ensemble.probability_transform is not None:
        probabilities = predictor.combine(ids, predicted.run_predictions, fitted=ensemble.probability_transform)
        table[[f"{PROBABILITY_PREFIX}{column}" for column in columns]] = probabilities[columns].to_numpy()
    return NewPredictions(table, unreadable)
