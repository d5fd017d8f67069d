"""Heat maps that explain predictions: Grad-CAM, or the input gradient for nets without a pooled feature map."""

import cv2
import keras
import numpy as np
from keras import layers

from medfold.prediction.heat_map_gradients import weighted_maps
from medfold.system.array_files import release_pages

BATCH_SIZE = 16


class GradCam:
    """Heat maps of the evidence for an output of a net.

    Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391) weights each channel of the pooled feature map by the mean
    gradient of the output's logit, and sums the channels; negative sums, the evidence against the output, are set to 0.
    If feature maps of several resolutions are pooled, their heat maps are summed. The method requires that positions
    are pooled. A net that flattens its last map, or has none, gets the smoothed absolute gradient at the input instead
    (Simonyan et al. 2014, arXiv 1312.6034).

    Args:
        net: net from float32 images (batch, height, width, channels) to probabilities.

    Attributes:
        method: `Grad-CAM` or `input gradient`.
        explains_grade: True if the net predicts one grade for all classes; the maps then show the evidence for a higher
            grade.
        cell: height and width, in image pixels, of one cell of the coarsest map; (1, 1) for the input gradient.

    Raises:
        UserError: the backend of Keras is neither TensorFlow nor JAX.
    """

    def __init__(self, net: keras.Model):
        pooled = [
            layer.input
            for layer in net.layers
            if isinstance(layer, (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D))
        ]
        maps = list({id(tensor): tensor for tensor in pooled}.values())
        self._size = tuple(net.input.shape[1:3])
        self.method = "Grad-CAM" if maps else "input gradient"
        self.cell = (1.0, 1.0)
        if maps:
            self.cell = tuple(max(size / map_.shape[axis + 1] for map_ in maps) for axis, size in enumerate(self._size))
        self.explains_grade = not _has_layer(net, "head")
        head = net.get_layer("grade" if self.explains_grade else "head")
        self._num_maps = len(maps)
        self._class_maps = weighted_maps(keras.Model(net.input, [*maps, head.input]), head.kernel, BATCH_SIZE)

    def __call__(self, images: np.ndarray, columns: np.ndarray, signed: bool = False) -> np.ndarray:
        """Computes a heat map for one output of each image.

        Args:
            images: uint8 or float (n, height, width, channels).
            columns: int (n,), the output to explain; ignored by a net with one grade for all classes.
            signed: keeps the evidence against the output as negative values, and does not scale the maps, so that maps
                can be compared by rank; a map of zeros has no ranks. Defaults to False.

        Returns:
            float32 (n, height, width) in 0..1; the maximum of each map is 1, or 0 if there is no evidence for the
            output. If signed, the values are not bounded.
        """
        heat_maps = [np.zeros((0, *self._size), np.float32)]
        for start in range(0, len(images), BATCH_SIZE):
            batch = np.asarray(images[start : start + BATCH_SIZE], np.float32)
            batch_columns = np.asarray(columns[start : start + BATCH_SIZE], np.int32)
            # All batches are padded to one size, so that the net is compiled once.
            padding = BATCH_SIZE - len(batch)
            batch = np.pad(batch, [(0, padding), *[(0, 0)] * 3])
            results = self._class_maps(batch, np.pad(batch_columns, (0, padding)))
            release_pages(images)
            maps = [np.asarray(result)[: len(batch_columns)] for result in results]
            combined = self._combine(maps)
            heat_maps.append(combined if signed else _positive(combined))
        return np.concatenate(heat_maps)

    def _combine(self, maps: list[np.ndarray]) -> np.ndarray:
        """Resizes the maps to the image and sums them per image; the input gradient is smoothed."""
        height, width = self._size
        if not self._num_maps:
            result = [cv2.GaussianBlur(gradient, (0, 0), max(height, width) / 32) for gradient in maps[0]]
        else:
            result = [
                sum(cv2.resize(map_, (width, height), interpolation=cv2.INTER_LINEAR) for map_ in maps_of_image)
                for maps_of_image in zip(*maps, strict=True)
            ]
        return np.stack(result).astype(np.float32)


def _positive(maps: np.ndarray) -> np.ndarray:
    """Sets negative values to 0 and scales the maximum of each map to 1."""
    positive = np.maximum(maps, 0)
    largest = positive.max(axis=(1, 2), keepdims=True)
    return positive / np.where(largest > 0, largest, 1)


def _has_layer(net: keras.Model, name: str) -> bool:
    return any(layer.name == name for layer in net.layers)
