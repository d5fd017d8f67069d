"""How long does it take to score one fold of 5,000 classes, and to write its table?

    .venv/bin/python benchmarks/many_classes.py [images] [classes]

Random predictions of 2,000 images: of mutually exclusive classes, and of labels that one image in fifty has. Prints the
processor's seconds of the score, the chance score, the interval of 1,000 resamples, and the table of predictions.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.runs.prediction_files import write_prediction_table
from medfold.runs.predictions import predictions_table, read_predictions
from medfold.scoring import Difference, bootstrap_interval, chance_score, metric_of, paired_difference
from medfold.scoring.chance import label_means

NUM_IMAGES, NUM_CLASSES = 2000, 5000
METRICS = {
    "multiclass": ("accuracy", "balanced_accuracy", "macro_f1", "mean_auc", "log_loss", "ece"),
    "multilabel": ("accuracy", "macro_f1", "fbeta", "mean_auc", "log_loss", "ece"),
}


def make_facts(task: str, metric: str, num_classes: int) -> CompetitionFacts:
    """Returns facts of a competition with many classes or labels."""
    names = [f"class_{number}" for number in range(num_classes)]
    is_multilabel = task == "multilabel"
    facts = {
        "title": "Many classes",
        "source": {"kind": "own"},
        "upload": "none",
        "task": task,
        "labels": {"file": "train.csv", "targets": names if is_multilabel else ["target"]},
        "images": {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1, "symmetry": "none"},
        "score": {"metric": metric},
        "submission": {"sample": "sample_submission.csv"},
    }
    return CompetitionFacts.model_validate(facts if is_multilabel else facts | {"classes": names})


def make_predictions(task: str, num_images: int, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns targets and float32 predictions that agree a little."""
    rng = np.random.default_rng(0)
    predictions = rng.random((num_images, num_classes), dtype=np.float32)
    if task == "multilabel":
        targets = (rng.random((num_images, num_classes)) < 0.02).astype(int)
        return targets, (0.6 * predictions + 0.3 * targets).astype(np.float32)
    targets = rng.permutation(np.arange(num_images) % num_classes)
    predictions[np.arange(num_images), targets] += 1
    return targets, predictions / predictions.sum(axis=1, keepdims=True)


def time_scores(facts: CompetitionFacts, targets: np.ndarray, predictions: np.ndarray) -> None:
    """Prints the time of each score of a fold."""
    metric, what = metric_of(facts), f"{facts.task}, {facts.score.metric}"
    groups, prior = np.arange(len(targets)), label_means(facts, targets)
    report(f"{what}, score", lambda: metric(targets, predictions))
    report(f"{what}, interval", lambda: bootstrap_interval(metric, targets, predictions, groups))
    others = predictions[:, ::-1]
    report(f"{what}, difference", lambda: paired_difference(metric, targets, predictions, others, groups))
    report(f"{what}, chance score", lambda: chance_score(facts, targets, prior))


def time_table(facts: CompetitionFacts, predictions: np.ndarray) -> None:
    """Prints the time and the size of the table of predictions."""
    ids = pd.Series([f"image_{number}" for number in range(len(predictions))])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "oof.npz"
        report(
            f"{facts.task}, table written",
            lambda: write_prediction_table(predictions_table(facts, ids, predictions, 0), path),
        )
        print(f"{facts.task}, table: {path.stat().st_size / 1e6:.1f} MB")
        report(f"{facts.task}, table read", lambda: read_predictions(facts, path))


def report(what: str, function: Callable) -> None:
    """Runs a step and prints its time, and the numbers that it returns."""
    began = time.process_time()
    value = function()
    shown = f"  {value!r}" if isinstance(value, float | tuple | Difference) else ""
    print(f"{what}: {time.process_time() - began:.2f} s{shown}", flush=True)


def main() -> None:
    """Times both tasks."""
    num_images, num_classes = (int(value) for value in sys.argv[1:3]) if sys.argv[1:] else (NUM_IMAGES, NUM_CLASSES)
    for task, metrics in METRICS.items():
        targets, predictions = make_predictions(task, num_images, num_classes)
        for name in metrics:
            time_scores(make_facts(task, name, num_classes), targets, predictions.astype(np.float64))
        time_table(make_facts(task, metrics[0], num_classes), predictions)


if __name__ == "__main__":
    main()
