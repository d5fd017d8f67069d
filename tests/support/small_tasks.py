"""Small tasks that a net learns in seconds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from medfold.competition import Recipe
from medfold.images import Store
from medfold.training import RunInputs
from tests.support.helpers import competition_facts

NUM_IMAGES = 60  # with labels


def task(kind="binary", seed=0, backbone="resnet9", units=None, **training):
    """Returns inputs that a net can learn from: classes differ in their stripes, labels in the brightness of a half.

    A test that is not about learning may take the backbone `simple_cnn`, which is built and compiled faster. `units`
    are the units of the images with labels. Defaults to one unit per image.
    """
    rng = np.random.default_rng(0)
    facts = competition_facts(kind, images={"train": "x", "test": "x", "channels": 1, "symmetry": "horizontal"})
    levels = (
        rng.integers(0, 2, (NUM_IMAGES, 2))
        if kind == "multilabel"
        else rng.integers(0, 2 if kind == "binary" else 3, NUM_IMAGES)
    )
    pixels = rng.integers(0, 40, (NUM_IMAGES + 10, 16, 16, 1), dtype=np.uint8)
    if kind == "multilabel":
        pixels[:NUM_IMAGES, :8] += (levels[:, 0, None, None, None] * 150).astype(np.uint8)
        pixels[:NUM_IMAGES, 8:] += (levels[:, 1, None, None, None] * 150).astype(np.uint8)
    else:
        # Stripes, not brightness, which resnet9 removes: it standardises every image.
        for image, level in zip(pixels, levels, strict=False):
            image[:: 2 + 2 * int(level)] += 150
    recipe = Recipe.model_validate(
        {
            "preparation": {"size": 16},
            "backbone": {"name": backbone, "width": 8},
            "augment": "none",
            "training": {"epochs": 6, "batch_size": 8, "learning_rate": 0.005, **training},
        }
    )
    ids = pd.Series([f"s{k}" for k in range(NUM_IMAGES + 10)])
    return RunInputs(
        facts,
        recipe,
        seed,
        Store(pixels, pd.Series(np.arange(NUM_IMAGES + 10), index=ids)),
        pd.DataFrame(
            {
                "id": ids[:NUM_IMAGES],
                "unit": ids[:NUM_IMAGES] if units is None else units,
                "group": np.arange(NUM_IMAGES),
                "fold": np.arange(NUM_IMAGES) % 3,
            }
        ),
        levels,
        pd.DataFrame({"id": ids[NUM_IMAGES:]}),
        Path("no features"),
    )


def with_pretrained_backbone(backbone, inputs, features, **training):
    """Returns the same inputs for a pretrained backbone, at 32 px."""
    settings = inputs.recipe.model_dump()
    settings["preparation"]["size"] = 32
    settings["backbone"] = {"name": "MobileNetV2", "weights": str(backbone)}
    settings["training"].update(training)
    pixels = inputs.store.pixels.repeat(2, axis=1).repeat(2, axis=2)
    changes = {
        "recipe": Recipe.model_validate(settings),
        "store": Store(pixels, inputs.store.rows),
        "features_file": features,
    }
    return replace(inputs, **changes)


def result_files(folder):
    return {name: (folder / name).read_bytes() for name in ("oof.csv", "test.csv", "history.csv")}
