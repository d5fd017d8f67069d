"""Weights + images -> probabilities: the only predictor, for OOF, test and new images alike."""

from collections.abc import Callable, Iterator

import keras
import numpy as np

from medfold import files
from medfold.competition import Symmetry
from medfold.models import resolve_compile

# Each view as (transpose, flip vertically, flip horizontally).
VIEWS: dict[str, list[tuple[bool, bool, bool]]] = {
    "none": [(False, False, False)],
    "horizontal": [(False, False, False), (False, False, True)],
    "dihedral": [(t, v, h) for t in (False, True) for v in (False, True) for h in (False, True)],
}


class Predictor:
    """Probabilities of images, averaged over the views that a symmetry allows (test-time augmentation).

    Args:
        model: from what `view_of` gives to probabilities.
        symmetry: none, horizontal (2 views) or dihedral (8 views).
        tta: False looks at each image once, as it is.
        view_of: (images of a batch, number of the view) -> what the model takes. Defaults to turned pixels.
        batch_size: images at a time. Defaults to 64.
    """

    def __init__(
        self,
        model: keras.Model,
        symmetry: Symmetry,
        tta: bool,
        view_of: Callable[[np.ndarray, int], np.ndarray] | None = None,
        batch_size: int = 64,
    ):
        views = VIEWS[symmetry if tta else "none"]
        self.count, self._view_of = len(views), view_of or (lambda batch, number: _turned(batch, *views[number]))
        self._model = model
        if not model.compiled:
            model.jit_compile = resolve_compile("auto")
        self._batch_size = batch_size
        self._columns = model.output_shape[-1]

    def __call__(
        self,
        images: np.ndarray,
        rows: np.ndarray,
        advance: Callable[[int], None] = lambda count: None,
        count: int | None = None,
    ) -> np.ndarray:
        """Predicts some images of an array.

        Args:
            images: uint8 (images, height, width, channels), or what `view_of` expects; may be memory-mapped.
            rows: int (n,), which of them, in which order.
            advance: called with the number of images after each batch.
            count: of views, the first ones. Defaults to all.

        Returns:
            float32 (n, columns).
        """
        outputs = [np.zeros((0, self._columns), np.float32)]
        for views in self.views(images, rows, count):
            outputs.append((sum(view.astype(np.float64) for view in views) / len(views)).astype(np.float32))
            advance(len(views[0]))
        return np.concatenate(outputs)

    def views(self, images: np.ndarray, rows: np.ndarray, count: int | None = None) -> Iterator[list[np.ndarray]]:
        """What the model says of each view of some images: a batch at a time, a float32 (batch, columns) per view."""
        for start in range(0, len(rows), self._batch_size):
            chosen = rows[start : start + self._batch_size]
            batch = np.asarray(images[chosen], np.float32)
            # A batch is always full, so that the net is compiled once; the surplus is cut off again.
            batch = np.pad(batch, [(0, self._batch_size - len(chosen)), *[(0, 0)] * (batch.ndim - 1)])
            numbers = range(min(count or self.count, self.count))
            views = [self._model.predict_on_batch(self._view_of(batch, number)) for number in numbers]
            files.release_pages(images)
            yield [view[: len(chosen)] for view in views]


def _turned(batch: np.ndarray, transpose: bool, vertical: bool, horizontal: bool) -> np.ndarray:
    if transpose:
        batch = batch.transpose(0, 2, 1, 3)
    if vertical:
        batch = batch[:, ::-1]
    if horizontal:
        batch = batch[:, :, ::-1]
    return np.ascontiguousarray(batch)
