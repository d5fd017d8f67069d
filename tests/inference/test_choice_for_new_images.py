"""How runs are combined for new images: plain mean, new choice, saved choice."""

import numpy as np
import pytest

from medfold.data.dataset import make_dataset
from medfold.ensemble.choice_file import read_choice
from medfold.ensemble.ensemble import ensemble_runs
from medfold.inference.choice_for_new_images import PLAIN_MEAN_CHOICE, submission_choice
from medfold.tables import read_csv, write_csv


def test_single_run_needs_no_choice_if_the_metric_has_no_post_processing(two_runs):
    assert submission_choice(two_runs, two_runs, ["weak"]) is PLAIN_MEAN_CHOICE
    assert read_choice(two_runs, ["weak"]) is None


def test_choice_is_made_once_and_then_read(two_runs, monkeypatch):
    made = submission_choice(two_runs, two_runs, ["weak", "strong"])
    stack = ensemble_runs(two_runs, ["weak", "strong"], make_dataset(two_runs)).members.predictions
    monkeypatch.setattr(
        "medfold.inference.choice_for_new_images.ensemble_runs", lambda *_: pytest.fail("it was made again")
    )
    saved = submission_choice(two_runs, two_runs, ["strong", "weak"])
    assert saved.title == made.title
    np.testing.assert_array_equal(saved.fitted.apply(stack), made.fitted.apply(stack))


def test_plain_mean_is_used_with_a_warning_if_no_choice_can_be_made(two_runs, capsys):
    table = read_csv(two_runs.paths.folds)
    write_csv(table.assign(fold=(table["fold"] + 1) % 3), two_runs.paths.folds)
    assert submission_choice(two_runs, two_runs, ["weak", "strong"]) is PLAIN_MEAN_CHOICE
    text = "using the plain mean: the combination of a submission cannot be determined: "
    assert f"predict    {text}" in capsys.readouterr().out
    assert read_choice(two_runs, ["weak", "strong"]) is None
