"""How runs are combined for new images: arithmetic mean, new ensemble, saved ensemble."""

import numpy as np
import pytest

from medfold.data import make_dataset
from medfold.ensemble import ensemble_runs, read_fitted_ensemble
from medfold.new_images.ensemble_for_new_images import MEAN_TRANSFORM, load_or_fit_ensemble
from medfold.tables import read_csv, write_csv


def test_single_run_needs_no_ensemble_if_the_metric_has_no_post_processing(two_runs):
    assert load_or_fit_ensemble(two_runs, two_runs, ["weak"]).transform is MEAN_TRANSFORM
    assert read_fitted_ensemble(two_runs, ["weak"]) is None


@pytest.mark.slow
def test_ensemble_is_fitted_once_and_then_read(two_runs, monkeypatch):
    made = load_or_fit_ensemble(two_runs, two_runs, ["weak", "strong"])
    stack = ensemble_runs(two_runs, ["weak", "strong"], make_dataset(two_runs)).members.predictions
    monkeypatch.setattr(
        "medfold.new_images.ensemble_for_new_images.ensemble_runs", lambda *_: pytest.fail("it was made again")
    )
    saved = load_or_fit_ensemble(two_runs, two_runs, ["strong", "weak"])
    assert (saved.title, saved.run_names) == (made.title, made.run_names)
    np.testing.assert_array_equal(saved.transform.apply(stack), made.transform.apply(stack))


def test_arithmetic_mean_is_used_with_a_warning_if_no_ensemble_can_be_fitted(two_runs, capsys):
    table = read_csv(two_runs.paths.folds_table)
    write_csv(table.assign(fold=(table["fold"] + 1) % 3), two_runs.paths.folds_table)
    mean = load_or_fit_ensemble(two_runs, two_runs, ["weak", "strong"])
    assert (mean.transform is MEAN_TRANSFORM, mean.run_names) == (True, ("strong", "weak"))
    text = "using the arithmetic mean: the combination of a submission cannot be determined: "
    assert f"predict    {text}" in capsys.readouterr().out
    assert read_fitted_ensemble(two_runs, ["weak", "strong"]) is None
