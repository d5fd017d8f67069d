"""Small problems that a net learns in seconds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition.recipe import Recipe
from medfold.images.store import Store
from medfold.training.fold import FoldJob
from tests.support.helpers import competition


def task(kind="binary", seed=0, n=60, **training):
    """A task a net can learn: the class is how bright an image is, a label how bright a half is."""
    rng = np.random.default_rng(0)
    facts = competition(kind, images={"train": "x", "test": "x", "channels": 1, "symmetry": "horizontal"})
    levels = rng.integers(0, 2, (n, 2)) if kind == "multilabel" else rng.integers(0, 2 if kind == "binary" else 3, n)
    pixels = rng.integers(0, 40, (n + 10, 16, 16, 1), dtype=np.uint8)
    if kind == "multilabel":
        pixels[:n, :8] += (levels[:, 0, None, None, None] * 150).astype(np.uint8)
        pixels[:n, 8:] += (levels[:, 1, None, None, None] * 150).astype(np.uint8)
    else:
        # Stripes, not brightness: resnet9 standardises every image.
        for image, level in zip(pixels, levels, strict=False):
            image[:: 2 + 2 * int(level)] += 150
    recipe = Recipe.model_validate(
        {
            "images": {"size": 16},
            "backbone": {"name": "resnet9", "width": 8},
            "augment": "none",
            "training": {"epochs": 6, "batch_size": 8, "learning_rate": 0.005, **training},
        }
    )
    ids = pd.Series([f"s{k}" for k in range(n + 10)])
    return FoldJob(
        facts,
        recipe,
        seed,
        Store(pixels, pd.Series(np.arange(n + 10), index=ids)),
        pd.DataFrame({"id": ids[:n], "unit": ids[:n], "group": np.arange(n), "fold": np.arange(n) % 3}),
        levels,
        pd.DataFrame({"id": ids[n:]}),
        Path("no features"),
    )


def on(backbone, made, features, **training):
    """The same task for a pretrained backbone, at 32 px."""
    choices = made.recipe.model_dump()
    choices["images"]["size"] = 32
    choices["backbone"] = {"name": "MobileNetV2", "weights": str(backbone)}
    choices["training"].update(training)
    pixels = made.store.pixels.repeat(2, axis=1).repeat(2, axis=2)
    changes = {"recipe": Recipe.model_validate(choices), "store": Store(pixels, made.store.rows), "features": features}
    return replace(made, **changes)


def files_of(folder):
    return {name: (folder / name).read_bytes() for name in ("oof.csv", "test.csv", "history.csv")}
