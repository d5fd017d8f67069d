"""The section on the score, the operating points and the mistakes."""

import re

import numpy as np

from medfold.commands.report import report
from medfold.data import make_dataset
from medfold.ensemble import ensemble_runs
from medfold.scoring import METRICS
from tests.support.report_pages import cells, read_page


def test_operating_points_match_the_predictions(competition, good):
    found, text = ensemble_runs(competition, ["good"], make_dataset(competition)), read_page(good)
    targets, predictions = found.oof.targets, found.oof.predictions[:, 0]
    rows = cells(text, "Operating points")
    assert [row[0] for row in rows] == ["sensitivity 90%", "sensitivity 95%", "specificity 90%", "specificity 95%"]
    for _, threshold, sensitivity, specificity, *_ in rows:
        thresholds = [value for value in predictions if f"{value:.4f}" == threshold]  # several may be written alike
        positive = [predictions >= value for value in thresholds]
        rates = [(called[targets == 1].mean(), (~called)[targets == 0].mean()) for called in positive]
        assert (sensitivity, specificity) in [tuple(f"{rate:.1%}" for rate in pair) for pair in rates]
    assert f"{np.mean((predictions > 0.5) == targets):.1%} of the decisions are correct" in text
    assert f"Expected calibration error {METRICS['ece'](targets, predictions):.4f}" in text


def test_gallery_captions_match_targets_and_predictions(competition, good):
    found, text = ensemble_runs(competition, ["good"], make_dataset(competition)), read_page(good)
    tiles = re.findall(r'data-text="(\w+), target: true (\d), predicted ([\d.]+), fold (\d)" data-map=""', text)
    assert len(tiles) == text.count('class="tile"') > 20
    rows = {name: number for number, name in enumerate(found.oof.unit_ids)}
    for name, truth, predicted, fold in tiles:
        row = rows[name]
        assert (int(truth), int(fold)) == (found.oof.targets[row], found.oof.folds[row])
        assert predicted == f"{found.oof.predictions[row, 0]:.3f}"
    assert "there are no heat maps" in text


def test_optimistic_score_is_marked(competition):
    text = read_page(report(competition, ["peeked"]))
    assert '<p class="note">OPTIMISTIC: epochs were chosen on the scored folds.' in text
    assert "Covers" not in text
