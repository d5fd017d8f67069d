"""Checks of heat maps: against randomised weights, and against boxes that are known."""

import keras
import numpy as np
from keras import layers


def randomise_weights(model: keras.Model, seed: int = 0) -> keras.Model:
    """The same net with other weights: each array's values in another order (Adebayo et al. 2018, arXiv 1810.03292).

    A map that stays as it was shows the image, not what the net has learnt. The order is drawn from the seed.
    """
    rng = np.random.default_rng(seed)
    other = keras.models.clone_model(model, clone_function=_cloned)
    other.set_weights([rng.permuted(each.ravel()).reshape(each.shape) for each in model.get_weights()])
    return other


def _cloned(layer: layers.Layer) -> layers.Layer:
    # A function of ours is not found by its name again; it has no weights, so both nets can share it.
    return layer if isinstance(layer, layers.Lambda) else layer.__class__.from_config(layer.get_config())


def hits_finding(
    maps: np.ndarray, x: np.ndarray, y: np.ndarray, radius: np.ndarray, cell: tuple[float, float]
) -> np.ndarray:
    """The pointing game (Zhang et al. 2016, arXiv 1608.00507): is the largest value of a map inside a finding?

    Args:
        maps: float (n, height, width).
        x, y, radius: float (n,), of the finding, a disc, in pixels of the map.
        cell: height and width of a cell of the map; the disc is grown by the larger, since a map is no finer.

    Returns:
        bool (n,); a map of zeros hits nothing.
    """
    places = np.array([np.unravel_index(each.argmax(), each.shape) for each in maps]).reshape(-1, 2)
    distance = np.hypot(places[:, 1] - x, places[:, 0] - y)
    return (distance <= radius + max(cell)) & (maps.max(axis=(1, 2)) > 0)


def random_hits(
    shape: tuple[int, int], x: np.ndarray, y: np.ndarray, radius: np.ndarray, cell: tuple[float, float]
) -> np.ndarray:
    """The chance of a random pixel to hit, by the rule of `hits`: float (n,)."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    reach = radius + max(cell)
    return np.array([(np.hypot(columns - a, rows - b) <= c).mean() for a, b, c in zip(x, y, reach, strict=True)])
