"""Predictions of trained nets, and heat maps that explain them. Importing this package imports Keras.

- `predictor`: probabilities, averaged over the views of an image; `weights`: weights files;
- `grad_cam`: heat maps, with gradients from `heat_map_gradients`; `grad_cam_checks`: checks of heat maps.
"""

from medfold.prediction.grad_cam import GradCam
from medfold.prediction.grad_cam_checks import hits_finding, random_hits, randomise_weights
from medfold.prediction.predictor import VIEWS, Predictor
from medfold.prediction.weights import load_net, read_weights, save_weights

__all__ = [
    "VIEWS",
    "GradCam",
    "Predictor",
    "hits_finding",
    "load_net",
    "random_hits",
    "randomise_weights",
    "read_weights",
    "save_weights",
]
