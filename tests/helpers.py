"""Small makers of test data."""

from pathlib import Path

import cv2
import numpy as np

from medfold.competition import Competition


def competition(task: str = "binary", **changes) -> Competition:
    """Facts that are complete but for what a test cares about."""
    facts = {
        "title": "test",
        "source": {"kind": "phantom"},
        "upload": "local",
        "task": task,
        "labels": {"targets": ["a", "b"] if task == "multilabel" else ["target"]},
        "images": {"train": "train/{id}.png", "test": "test/{id}.png", "channels": 1},
        "score": {"metric": "auc" if task == "binary" else "mean_auc"},
    }
    if task in ("multiclass", "ordinal"):
        facts["classes"] = ["0", "1", "2"]
    return Competition.model_validate({**facts, **changes})


def picture(path: Path, seed: int = 0, shape: tuple = (12, 10)) -> np.ndarray:
    """Writes a picture of noise and returns its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return pixels
