"""Checks of heat maps: comparison with randomised weights, and with the known positions of findings."""

import keras
import numpy as np
from keras import layers


def randomise_weights(net: keras.Model, seed: int = 0) -> keras.Model:
    """Returns a copy of a net in which the values of each weight array are shuffled (Adebayo et al. 2018).

    A heat map that does not change shows the image, not what the net has learnt (arXiv 1810.03292).

    Args:
        net: a net; it is not changed.
        seed: seed of the shuffling. Defaults to 0.
    """
    rng = np.random.default_rng(seed)
    randomised = keras.models.clone_model(net, clone_function=_clone_layer)
    randomised.set_weights([rng.permuted(array.ravel()).reshape(array.shape) for array in net.get_weights()])
    return randomised


def _clone_layer(layer: layers.Layer) -> layers.Layer:
    # The function of a Lambda cannot be restored by its name. The layer has no weights, so both nets can share it.
    return layer if isinstance(layer, layers.Lambda) else layer.__class__.from_config(layer.get_config())


def hits_finding(
    maps: np.ndarray, x: np.ndarray, y: np.ndarray, radius: np.ndarray, cell: tuple[float, float]
) -> np.ndarray:
    """Checks whether the maximum of each map lies inside a finding.

    This is the pointing game (Zhang et al. 2016, arXiv 1608.00507).

    Args:
        maps: heat maps, float (n, height, width).
        x: column of the centre of each finding, in pixels of the map; float (n,).
        y: row of the centre of each finding, in pixels of the map; float (n,).
        radius: radius of each finding, a disc, in pixels of the map; float (n,).
        cell: height and width of a cell of the map, in pixels (`GradCam.cell`). The radius is increased by the larger
            one, since the map is not more precise.

    Returns:
        bool (n,); False for a map of zeros.
    """
    maxima = np.array([np.unravel_index(heat.argmax(), heat.shape) for heat in maps]).reshape(-1, 2)
    distance = np.hypot(maxima[:, 1] - x, maxima[:, 0] - y)
    return (distance <= radius + max(cell)) & (maps.max(axis=(1, 2)) > 0)


def random_hits(
    shape: tuple[int, int], x: np.ndarray, y: np.ndarray, radius: np.ndarray, cell: tuple[float, float]
) -> np.ndarray:
    """Returns the probability that a random pixel counts as a hit in `hits_finding`.

    Args:
        shape: height and width of the maps, in pixels.
        x: column of the centre of each finding, in pixels of the map; float (n,).
        y: row of the centre of each finding, in pixels of the map; float (n,).
        radius: radius of each finding, a disc, in pixels of the map; float (n,).
        cell: height and width of a cell of the map, in pixels.

    Returns:
        float (n,).
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    reach = radius + max(cell)
    return np.array([(np.hypot(columns - a, rows - b) <= c).mean() for a, b, c in zip(x, y, reach, strict=True)])
