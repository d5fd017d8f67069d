"""Where a net looks: Grad-CAM, and for nets without a pooled feature map the gradient at the input."""

import cv2
import keras
import numpy as np
from keras import layers

from medfold import files
from medfold.prediction.map_gradients import weighted_maps

BATCH = 16


class GradCam:
    """Maps of what speaks for an output of a net.

    Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391): the channels of the feature map that is pooled, each weighted by
    the mean gradient of the output's logit, summed, what speaks against it left out. Where maps of several resolutions
    are pooled, theirs are summed. It presumes that positions are pooled: a net that flattens its last map or has none
    gets the size of the gradient at the input, smoothed (Simonyan et al. 2014, arXiv 1312.6034).

    Args:
        model: from float32 images (batch, height, width, channels) to probabilities.

    Attributes:
        method: `Grad-CAM` or `input gradient`.
        of_grade: True if there is one grade for all classes: then what speaks for a higher one is shown.
        cell: height and width in pixels of one cell of the coarsest map; (1, 1) for the input gradient.

    Raises:
        UserError: the backend of Keras is neither TensorFlow nor JAX.
    """

    def __init__(self, model: keras.Model):
        pooled = [
            layer.input
            for layer in model.layers
            if isinstance(layer, (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D))
        ]
        maps = list({id(each): each for each in pooled}.values())
        self._size = tuple(model.input.shape[1:3])
        self.method = "Grad-CAM" if maps else "input gradient"
        self.cell = (1.0, 1.0)
        if maps:
            self.cell = tuple(max(size / each.shape[axis + 1] for each in maps) for axis, size in enumerate(self._size))
        self.of_grade = not _has(model, "head")
        head = model.get_layer("grade" if self.of_grade else "head")
        self._count = len(maps)
        self._heat = weighted_maps(keras.Model(model.input, [*maps, head.input]), head.kernel, BATCH)

    def __call__(self, images: np.ndarray, columns: np.ndarray, signed: bool = False) -> np.ndarray:
        """Explains one output for each image.

        Args:
            images: uint8 or float (n, height, width, channels).
            columns: int (n,), the output; a net with one grade for all classes explains that grade.
            signed: also what speaks against the output, as negative values, and nothing brought to scale: to compare
                maps by ranks, which one of zeros does not have. Defaults to False.

        Returns:
            float32 (n, height, width), 0 to 1, the largest of each image 1; all 0 if nothing speaks for the output.
            If signed, any numbers.
        """
        found = [np.zeros((0, *self._size), np.float32)]
        for start in range(0, len(images), BATCH):
            batch = np.asarray(images[start : start + BATCH], np.float32)
            chosen = np.asarray(columns[start : start + BATCH], np.int32)
            # A batch is always full, so that the net is compiled once.
            missing = BATCH - len(batch)
            batch = np.pad(batch, [(0, missing), *[(0, 0)] * 3])
            results = self._heat(batch, np.pad(chosen, (0, missing)))
            files.release_pages(images)
            maps = [np.asarray(each)[: len(chosen)] for each in results]
            combined = self._combined(maps)
            found.append(combined if signed else _positive(combined))
        return np.concatenate(found)

    def _combined(self, maps: list[np.ndarray]) -> np.ndarray:
        height, width = self._size
        if not self._count:
            result = [cv2.GaussianBlur(each, (0, 0), max(height, width) / 32) for each in maps[0]]
        else:
            result = [
                sum(cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR) for each in of_image)
                for of_image in zip(*maps, strict=True)
            ]
        return np.stack(result).astype(np.float32)


def _positive(maps: np.ndarray) -> np.ndarray:
    positive = np.maximum(maps, 0)
    largest = positive.max(axis=(1, 2), keepdims=True)
    return positive / np.where(largest > 0, largest, 1)


def _has(model: keras.Model, name: str) -> bool:
    return any(layer.name == name for layer in model.layers)
