"""Predictions of trained nets, and heat maps that explain them. Importing this package imports Keras."""

from medfold.prediction.grad_cam import GradCam
from medfold.prediction.grad_cam_checks import hits_finding, random_hits, randomise_weights
from medfold.prediction.predictor import VIEWS, Predictor
from medfold.prediction.weights import load_model, read_weights, save_weights

__all__ = [
    "VIEWS",
    "GradCam",
    "Predictor",
    "hits_finding",
    "load_model",
    "random_hits",
    "randomise_weights",
    "read_weights",
    "save_weights",
]
