"""Prediction of new images, as a submission of the same runs would predict them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from medfold.competition import Competition, CompetitionFacts
from medfold.earlier_versions import PROBABILITY_PREFIX
from medfold.ensemble.choice_file import SavedChoice, choice_of_ensemble, read_choice, save_choice
from medfold.ensemble.ensemble import ensemble_runs
from medfold.ensemble.ensemble_predictor import EnsemblePredictor, MemberRun
from medfold.ensemble.methods import mean_of
from medfold.errors import UserError
from medfold.images import read_batches
from medfold.runs import TrainedRun, dataset_of_runs, predictions_table
from medfold.scoring import FittedTransform, metric_of, post_processing_of
from medfold.terminal.command_text import variable
from medfold.terminal.console import warn
from medfold.terminal.progress import progress_bar
from medfold.text import count_of

MEAN = SavedChoice(FittedTransform.from_function(mean_of), None, "arithmetic mean")


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


def submission_choice(competition: Competition, trained_competition: Competition, run_names: list[str]) -> SavedChoice:
    """Returns how a submission of these runs is combined: the saved choice, else a new one, else `MEAN`.

    A new choice is saved. If it cannot be made, since labels or folds have changed, a warning says so.

    Args:
        competition: the competition with the facts of today.
        trained_competition: the competition with the facts that the runs were trained with.
        run_names: names of the runs.
    """
    metric = metric_of(trained_competition.facts)
    if len(run_names) == 1 and post_processing_of(trained_competition.facts, metric) is None:
        return MEAN
    if saved := read_choice(trained_competition, run_names):
        return saved
    try:
        ensemble = ensemble_runs(competition, run_names, dataset_of_runs(competition, run_names))
    except UserError as reason:
        warn("predict", f"using the plain mean: the combination of a submission cannot be determined: {reason.what}")
        return MEAN
    save_choice(competition, ensemble)
    return choice_of_ensemble(ensemble)


def predict_new_images(
    facts: CompetitionFacts, predictor: EnsemblePredictor, choice: SavedChoice, root: Path, image_paths: list[str]
) -> NewPredictions:
    """Predicts images batch by batch; those that cannot be read are left out.

    Args:
        facts: facts of the competition that the runs were trained with.
        predictor: predictor of the runs.
        choice: how the runs are combined.
        root: folder of the images.
        image_paths: paths of the images below the folder.

    Raises:
        UserError: no image can be read.
    """
    columns = facts.prediction_columns
    ids = []
    outputs = []
    unreadable = {}
    image_facts = facts.images.model_copy(update={"expected_shape": None})  # new images may have any size
    with progress_bar("predict", len(image_paths)) as bar:
        for rows, pixels, errors in read_batches(root, image_paths, image_facts, predictor.image_settings):
            unreadable |= {image_paths[row]: reason for row, reason in errors.items()}
            if len(rows):
                outputs.append(predictor.predict(pixels))
                ids += [image_paths[row] for row in rows]
            bar.advance(len(rows) + len(errors))
    if not ids:
        image, reason = next(iter(unreadable.items()))
        what = f"none of {count_of(len(image_paths), 'image')} can be read; {image}: {reason}"
        given = root / image.partition("|")[0] if len(image_paths) == 1 else root
        raise UserError(what, variable("IMAGES", given), "Check that the files are complete")
    run_outputs = [np.concatenate(batches) for batches in zip(*outputs, strict=True)]
    combined = predictor.combine(ids, run_outputs)
    table = predictions_table(facts, combined["id"], combined[columns].to_numpy())
    if choice.probabilities is not None:
        probabilities = predictor.combine(ids, run_outputs, fitted=choice.probabilities)
        table[[f"{PROBABILITY_PREFIX}{column}" for column in columns]] = probabilities[columns].to_numpy()
    return NewPredictions(table, unreadable)
