"""Small recipes, facts and images for nets."""

import numpy as np

from medfold.competition import Recipe
from tests.support.helpers import competition_facts


def recipe(name="resnet9", size=32, **backbone):
    return Recipe.model_validate({"preparation": {"size": size}, "backbone": {"name": name, "width": 4, **backbone}})


def facts(task="binary", channels=1):
    images = {"train": "x", "test": "x", "channels": channels, "symmetry": "dihedral"}
    return competition_facts(task, images=images)


def batch(channels, size=32):
    return np.random.default_rng(0).integers(0, 256, (3, size, size, channels)).astype(np.float32)
