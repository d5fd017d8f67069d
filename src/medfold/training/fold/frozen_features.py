"""Features of a frozen backbone for every image and every view of it, computed once for all folds and seeds."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from medfold.competition import active_plugins, use_plugins
from medfold.models import build_net, make_deterministic, split_backbone_and_head
from medfold.prediction import Predictor
from medfold.system import array_files, files, locks
from medfold.system.gpu_processes import GpuProcesses
from medfold.terminal.console import format_duration, say
from medfold.terminal.progress import progress_bar
from medfold.text import count_of
from medfold.training.features_file import features_hashes_path
from medfold.training.fold.recipe_checks import check_pretrained_weights
from medfold.training.fold.tensorflow_errors import tensorflow_errors_explained
from medfold.training.run_inputs import RunInputs

BATCH_SIZE = 64  # images per forward pass


def compute_features(inputs: RunInputs, gpus: Sequence[str] = ()) -> None:
    """Computes the features of the frozen backbone in float32 and writes them, unless their file exists.

    Args:
        inputs: the settings and data of the run.
        gpus: names of the GPUs among which the images are divided, if there are several; the bytes are the same.
            Defaults to none: this process computes them.

    Raises:
        UserError: the backbone has no pretrained weights.
    """
    check_pretrained_weights(inputs.recipe)
    path = inputs.features_file
    if path.is_file():
        return
    with locks.lock(path):
        if not path.is_file():
            files.remove_temporaries(path)
            _compute(inputs, gpus)
            hashes = features_hashes_path(path)
            files.remove(hashes)
            array_files.write_hashes(np.load(path, mmap_mode="r"), hashes)


class _Backbone(NamedTuple):
    """A frozen backbone.

    Args:
        predictor: predicts the features of each view.
        pixels: uint8 (images, height, width, channels), may be memory-mapped.
        num_features: number of features of a view.
    """

    predictor: Predictor
    pixels: np.ndarray
    num_features: int


def _load_backbone(inputs: RunInputs, plugins: Path | None) -> _Backbone:
    use_plugins(plugins)
    make_deterministic(inputs.seed, inputs.recipe.training.deterministic)
    with tensorflow_errors_explained("features"):
        backbone, _ = split_backbone_and_head(build_net(inputs.facts, inputs.recipe))
    predictor = Predictor(backbone, inputs.facts.images.symmetry, tta=True, batch_size=BATCH_SIZE)
    return _Backbone(predictor, inputs.store.pixels, backbone.output_shape[-1])


def _shape(backbone: _Backbone) -> tuple[int, ...]:
    """Returns the shape of the features: images, views (1, 2 or 8, the original image first), numbers."""
    return len(backbone.pixels), backbone.predictor.num_views, backbone.num_features


def _features_of_batch(backbone: _Backbone, start: int) -> np.ndarray:
    """Returns the features of the batch that begins at a row, float32 (batch, views, numbers)."""
    rows = np.arange(start, min(start + BATCH_SIZE, len(backbone.pixels)))
    with tensorflow_errors_explained("features"):
        (views,) = backbone.predictor.outputs_of_views(backbone.pixels, rows)
    return np.stack(views, axis=1)


def _compute(inputs: RunInputs, gpus: Sequence[str]) -> None:
    """Computes the features batch by batch, and writes them into an array on disk."""
    began = time.monotonic()
    path = inputs.features_file
    with GpuProcesses("features", gpus, partial(_load_backbone, inputs, active_plugins())) as processes:
        shape = processes.call(_shape)
        num_images, num_views, num_features = shape
        with files.atomic_write(path) as temporary, progress_bar("features", num_images) as bar:
            array_files.create_array(temporary, shape, np.float32)
            features = np.load(temporary, mmap_mode="r+")
            for start, batch in processes.map(_features_of_batch, range(0, num_images, BATCH_SIZE)):
                features[start : start + len(batch)] = batch
                bar.advance(len(batch))
            features.flush()
            del features
    what = f"{count_of(num_images, 'image')}" + (f" in {num_views} views" if num_views > 1 else "")
    say(
        "features",
        f"{what}, {count_of(num_features, 'number')} each, kept for all folds, "
        f"{format_duration(time.monotonic() - began)}",
    )
