"""Predictions of trained nets, and where in an image they look. It imports Keras."""

from medfold.prediction.grad_cam import GradCam
from medfold.prediction.grad_cam_checks import hits, random_hits, randomised
from medfold.prediction.predictor import VIEWS, Predictor
from medfold.prediction.weights import load_model, read_weights, save_weights

__all__ = [
    "VIEWS",
    "GradCam",
    "Predictor",
    "hits",
    "load_model",
    "random_hits",
    "randomised",
    "read_weights",
    "save_weights",
]
