"""Sharpening, compared with decisions by the best threshold."""

from medfold.scoring import METRICS
from medfold.scoring.sharpening import fit_sharpening
from tests.support.fitted_tasks import rare_labels


def test_sharpening_improves_pf1():
    for seed in range(5):
        predictions, targets = rare_labels(400, seed)
        targets = targets[:, 0]
        found = fit_sharpening(predictions, targets, METRICS["pf1"])
        before, after = (METRICS["pf1"](targets, each[:, 0]) for each in (predictions, found.apply(predictions)))
        assert after > before + 0.05
        hard = max(METRICS["pf1"](targets, (predictions[:, 0] > cut).astype(float)) for cut in predictions[:, 0])
        assert after > hard - 0.03
