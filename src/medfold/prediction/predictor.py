"""Predictor with test-time augmentation; OOF, test and new images are all predicted by it."""

from collections.abc import Callable, Iterator

import keras
import numpy as np

from medfold.competition import Symmetry
from medfold.models import resolve_compile
from medfold.system.array_files import release_pages

# Views by symmetry, each as (transpose, flip vertically, flip horizontally).
VIEWS: dict[str, list[tuple[bool, bool, bool]]] = {
    "none": [(False, False, False)],
    "horizontal": [(False, False, False), (False, False, True)],
    "dihedral": [(t, v, h) for t in (False, True) for v in (False, True) for h in (False, True)],
}


class Predictor:
    """Predictor of probabilities, averaged over the views that a symmetry allows (test-time augmentation).

    Args:
        net: net from the output of `view_of` to probabilities.
        symmetry: none, horizontal (2 views) or dihedral (8 views).
        tta: False predicts each image once, unchanged.
        view_of: function (batch, number of the view) -> input of the net. Defaults to flips and transposition.
        batch_size: number of images per batch. Defaults to 64.

    Attributes:
        num_views: number of views per image.
    """

    def __init__(
        self,
        net: keras.Model,
        symmetry: Symmetry,
        tta: bool,
        view_of: Callable[[np.ndarray, int], np.ndarray] | None = None,
        batch_size: int = 64,
    ):
        views = VIEWS[symmetry if tta else "none"]
        self.num_views = len(views)
        self._view_of = view_of or (lambda batch, number: _transformed(batch, *views[number]))
        self._net = net
        if not net.compiled:
            net.jit_compile = resolve_compile("auto")
        self._batch_size = batch_size
        self._num_columns = net.output_shape[-1]

    def __call__(
        self,
        images: np.ndarray,
        rows: np.ndarray,
        advance: Callable[[int], None] = lambda count: None,
        num_views: int | None = None,
    ) -> np.ndarray:
        """Predicts selected images of an array.

        Args:
            images: uint8 (images, height, width, channels), or the input of `view_of`; may be memory-mapped.
            rows: rows of the images to predict, int (n,).
            advance: called after each batch with its number of images. Defaults to doing nothing.
            num_views: number of views to use, the first ones. Defaults to all.

        Returns:
            Probabilities in the order of `rows`, float32 (n, columns).
        """
        outputs = [np.zeros((0, self._num_columns), np.float32)]
        for views in self.outputs_of_views(images, rows, num_views):
            outputs.append((sum(view.astype(np.float64) for view in views) / len(views)).astype(np.float32))
            advance(len(views[0]))
        return np.concatenate(outputs)

    def outputs_of_views(
        self, images: np.ndarray, rows: np.ndarray, num_views: int | None = None
    ) -> Iterator[list[np.ndarray]]:
        """Predicts each view of selected images separately.

        Args:
            images: the array, as for `__call__`.
            rows: int (n,), rows of the images to predict.
            num_views: number of views to use, the first ones. Defaults to all.

        Yields:
            For each batch, one float32 array (batch, columns) per view.
        """
        for start in range(0, len(rows), self._batch_size):
            batch_rows = rows[start : start + self._batch_size]
            batch = np.asarray(images[batch_rows], np.float32)
            # All batches are padded to one size, so that the net is compiled once; the padding is cut off again.
            batch = np.pad(batch, [(0, self._batch_size - len(batch_rows)), *[(0, 0)] * (batch.ndim - 1)])
            view_numbers = range(min(num_views or self.num_views, self.num_views))
            views = [self._net.predict_on_batch(self._view_of(batch, number)) for number in view_numbers]
            release_pages(images)
            yield [view[: len(batch_rows)] for view in views]


def _transformed(batch: np.ndarray, transpose: bool, vertical: bool, horizontal: bool) -> np.ndarray:
    """Returns a view of a batch: transposed, then flipped."""
    if transpose:
        batch = batch.transpose(0, 2, 1, 3)
    if vertical:
        batch = batch[:, ::-1]
    if horizontal:
        batch = batch[:, :, ::-1]
    return np.ascontiguousarray(batch)
