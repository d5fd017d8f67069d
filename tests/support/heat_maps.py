"""Nets and images for heat maps."""

import cv2
import keras
import numpy as np

from medfold.competition import Recipe
from medfold.models import build_net
from tests.support.helpers import competition_facts


def noise(count: int, size: int = 32, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Draws noise images with structures of several sizes."""
    rng = np.random.default_rng(seed)
    layered = sum(
        np.stack([cv2.resize(rng.random((side, side, channels)), (size, size)) for _ in range(count)]).reshape(
            count, size, size, channels
        )
        for side in (4, 8, size)
    )
    return np.rint(255 * layered / layered.max()).astype(np.uint8)


def build(
    task: str = "binary", channels: int = 1, head: str = "classification", size: int = 32, **backbone
) -> keras.Model:
    keras.utils.set_random_seed(1)
    facts = competition_facts(task, images={"train": "{id}.png", "test": "{id}.png", "channels": channels})
    chosen = {"name": "resnet9", "width": 8, **backbone}
    return build_net(facts, Recipe(preparation={"size": size}, backbone=chosen, head=head), pretrained=False)
