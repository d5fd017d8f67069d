"""Time of scoring one fold with thousands of classes: chance score, interval, score, and the table of predictions."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import CompetitionFacts
from medfold.runs.predictions import predictions_table, read_predictions
from medfold.scoring import bootstrap_interval, chance_score, metric_of
from medfold.scoring.chance import label_means
from medfold.tables import write_csv

NUM_IMAGES, NUM_CLASSES = 2000, 5000
TASKS = {"multiclass": ("accuracy", "mean_auc", "log_loss", "macro_f1"), "multilabel": ("mean_auc", "log_loss")}


def make_facts(task: str, metric: str, num_classes: int) -> CompetitionFacts:
    """Returns facts of a competition with many classes or labels."""
    names = [f"class_{number}" for number in range(num_classes)]
    labels, more = ({"targets": names}, {}) if task == "multilabel" else ({"targets": ["target"]}, {"classes": names})
    images = {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1, "symmetry": "none"}
    return CompetitionFacts.model_validate(
        {
            "title": "Many classes",
            "source": {"kind": "own"},
            "upload": "none",
            "task": task,
            **more,
            "labels": {"file": "train.csv", **labels},
            "images": images,
            "score": {"metric": metric},
            "submission": {"sample": "sample_submission.csv"},
        }
    )


def make_predictions(task: str, num_images: int, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns targets and predictions that agree a little; each class occurs where there are enough images."""
    rng = np.random.default_rng(0)
    predictions = rng.random((num_images, num_classes), dtype=np.float32)
    if task == "multilabel":
        targets = (rng.random((num_images, num_classes)) < 0.02).astype(int)
        return targets, (0.6 * predictions + 0.3 * targets).astype(np.float32)
    targets = rng.permutation(np.arange(num_images) % num_classes)
    predictions[np.arange(num_images), targets] += 1
    return targets, predictions / predictions.sum(axis=1, keepdims=True)


def main() -> None:
    """Prints the seconds of each step, of the processor."""
    num_images, num_classes = (int(value) for value in sys.argv[1:3]) if sys.argv[1:] else (NUM_IMAGES, NUM_CLASSES)
    for task, metrics in TASKS.items():
        targets, predictions = make_predictions(task, num_images, num_classes)
        float64 = predictions.astype(np.float64)
        for name in metrics:
            facts = make_facts(task, name, num_classes)
            metric = metric_of(facts)
            steps = {
                "score": lambda: metric(targets, float64),
                "chance score": lambda: chance_score(facts, targets, label_means(facts, targets)),
                "interval of 300 resamples": lambda: bootstrap_interval(
                    metric, targets, float64, np.arange(num_images), 300
                ),
            }
            for step, function in steps.items():
                report(f"{task}, {name}, {step}", function)
        ids = pd.Series([f"image_{number}" for number in range(num_images)])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "oof.csv"
            report(
                f"{task}, table written",
                lambda: write_csv(predictions_table(facts, ids, predictions, fold=0), path),
            )
            print(f"{task}, table: {path.stat().st_size / 1e6:.1f} MB")
            report(f"{task}, table read", lambda: read_predictions(facts, path))


def report(what: str, function) -> None:
    """Runs a step and prints its time and value."""
    began = time.process_time()
    value = function()
    shown = f"  {value!r}" if isinstance(value, float | tuple) else ""
    print(f"{what}: {time.process_time() - began:.2f} s{shown}", flush=True)


if __name__ == "__main__":
    main()
