"""Files from which a submission is checked again: the fitted ensemble, and OOF predictions with all digits."""

import numpy as np
import pandas as pd

from medfold.data import make_dataset
from medfold.ensemble import ensemble_runs
from medfold.ensemble.recheck_files import oof_table, write_recheck_files
from medfold.paths import SubmissionPaths
from medfold.scoring import FittedTransform


def test_table_holds_scored_predictions_and_the_probabilities_behind_them(two_runs):
    found = ensemble_runs(two_runs, ["weak", "strong"], make_dataset(two_runs), method_name="rank")
    table = oof_table(two_runs.facts, found)
    assert list(table.columns) == ["id", "fold", "target", "probability of target"]
    assert table["id"].tolist() == found.oof.unit_ids.tolist()
    assert table["fold"].tolist() == found.oof.folds.tolist()
    assert table["target"].tolist() == found.oof.predictions[:, 0].tolist()  # ranks
    assert table["probability of target"].tolist() == found.members.predictions.mean(axis=0)[:, 0].tolist()


def test_files_hold_the_fitted_ensemble_and_every_digit(two_runs):
    found = ensemble_runs(two_runs, ["weak", "strong"], make_dataset(two_runs), method_name="geometric")
    submission = two_runs.paths.submissions / "one.csv"
    write_recheck_files(two_runs, found, submission)
    paths = SubmissionPaths(submission)
    fitted, table = paths.recheck_parameters, paths.recheck_oof
    stack = found.members.predictions
    np.testing.assert_array_equal(
        FittedTransform.load(fitted).apply(stack), found.method_choice.used.fitted.apply(stack)
    )
    read = pd.read_csv(table, float_precision="round_trip")
    np.testing.assert_array_equal(read["target"], found.oof.predictions[:, 0])
    assert b"\r" not in table.read_bytes()
