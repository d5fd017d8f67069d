"""MedMNIST v2: arrays in one .npz file, images of 28 px."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.lookalikes import pictures
from tests.lookalikes.truth import Labels, truth

# Channels and classes; chestmnist has fourteen labels.
SETS = {
    "pathmnist": (3, 9),
    "chestmnist": (1, 14),
    "dermamnist": (3, 7),
    "octmnist": (1, 4),
    "pneumoniamnist": (1, 2),
    "retinamnist": (3, 5),
    "breastmnist": (1, 2),
    "bloodmnist": (3, 8),
    "tissuemnist": (1, 8),
    "organamnist": (1, 11),
    "organcmnist": (1, 11),
    "organsmnist": (1, 11),
}
LEAK_KINDS = (
    "atelectasis,cardiomegaly,effusion,infiltration,mass,nodule,pneumonia,pneumothorax,consolidation,edema,emphysema,"
    "fibrosis,pleural,hernia"
)
SIDE = 28


def maker(name: str) -> Callable[[Path, np.random.Generator], dict[str, Any]]:
    """The generator of one of the twelve sets."""

    def make(folder: Path, rng: np.random.Generator) -> dict[str, Any]:
        """Labels of shape (n, 1), or of fourteen columns."""
        channels, classes = SETS[name]
        targets = LEAK_KINDS.split(",") if name == "chestmnist" else ["label"]
        images, labels = {}, {}
        for part, count in (("train", max(40, 5 * classes)), ("val", 12), ("test", 16)):
            drawn = rng.random((count, 14)) < 0.3 if name == "chestmnist" else np.arange(count)[:, None] % classes
            labels[part] = drawn.astype(np.uint8)
            images[part] = np.stack([_picture(rng, row, classes, channels) for row in labels[part]])
        arrays = {f"{part}_images": value for part, value in images.items()}
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / f"{name}.npz", **arrays, **{f"{part}_labels": v for part, v in labels.items()})
        rows = {part: _rows(part, values, targets) for part, values in labels.items()}
        places = {
            id: f"{name}.npz#{part}_images/{number}" for part, ids in rows.items() for number, id in enumerate(ids)
        }
        return truth(rows["train"] | rows["val"], places, rows["test"], answers=rows["test"])

    return make


def _rows(part: str, values: np.ndarray, targets: list[str]) -> Labels:
    return {
        f"{part}{number:05}": dict(zip(targets, map(str, row), strict=True))
        for number, row in enumerate(values.tolist())
    }


def _picture(rng: np.random.Generator, labels: np.ndarray, classes: int, channels: int) -> np.ndarray:
    places = [str(number) for number in range(classes)]
    present = labels if len(labels) == 1 else np.flatnonzero(labels)
    picture = pictures.scene(rng, pictures.grid(places, [str(number) for number in present]), (SIDE, SIDE))
    return pictures.grey(picture) if channels == 1 else pictures.colour(picture, (0.9, 0.6, 0.8))
