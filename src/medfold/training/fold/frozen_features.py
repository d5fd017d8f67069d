"""Features of a frozen backbone for every image and every view of it, computed once for all folds and seeds."""

import time
from pathlib import Path

import keras
import numpy as np

from medfold.competition import Symmetry
from medfold.models import build_net, make_deterministic, split_backbone_and_head
from medfold.prediction import VIEWS, Predictor
from medfold.system import array_files, files, locks
from medfold.terminal.console import format_duration, say
from medfold.terminal.progress import progress_bar
from medfold.text import count_of
from medfold.training.features_file import features_hashes_path
from medfold.training.fold.recipe_checks import check_pretrained_weights
from medfold.training.fold.tensorflow_errors import tensorflow_errors_explained
from medfold.training.run_inputs import RunInputs


def compute_features(inputs: RunInputs) -> None:
    """Computes the features of the frozen backbone in float32 and writes them, unless their file exists.

    Args:
        inputs: the settings and data of the run.

    Raises:
        UserError: the backbone has no pretrained weights.
    """
    check_pretrained_weights(inputs.recipe)
    if inputs.features_file.is_file():
        return
    make_deterministic(inputs.seed, inputs.recipe.training.deterministic)
    with tensorflow_errors_explained("features"):
        backbone, _ = split_backbone_and_head(build_net(inputs.facts, inputs.recipe))
        _write_features(backbone, inputs.store.pixels, inputs.facts.images.symmetry, inputs.features_file)


def _write_features(backbone: keras.Model, pixels: np.ndarray, symmetry: Symmetry, path: Path) -> None:
    """Computes the features of all images, float32 (images, views, d), and writes them, unless the file exists.

    Args:
        backbone: float32 images in 0..255 -> features (d,).
        pixels: uint8 (images, height, width, channels), may be memory-mapped.
        symmetry: `images.symmetry`, which decides the views: 1, 2 or 8 of each image, the original image first.
        path: a `.npy` file; its name must identify everything that changes a feature.
    """
    with locks.lock(path):
        if not path.is_file():
            files.remove_temporaries(path)
            _compute(backbone, pixels, symmetry, path)
            hashes = features_hashes_path(path)
            files.remove(hashes)
            array_files.write_hashes(np.load(path, mmap_mode="r"), hashes)


def _compute(backbone: keras.Model, pixels: np.ndarray, symmetry: Symmetry, path: Path) -> None:
    """Computes the features batch by batch, and writes them into an array on disk."""
    began = time.monotonic()
    num_views = len(VIEWS[symmetry])
    predictor = Predictor(backbone, symmetry, tta=True)
    shape = (len(pixels), num_views, backbone.output_shape[-1])
    with files.atomic_write(path) as temporary, progress_bar("features", len(pixels)) as bar:
        array_files.create_array(temporary, shape, np.float32)
        features = np.load(temporary, mmap_mode="r+")
        start = 0
        for batch in predictor.outputs_of_views(pixels, np.arange(len(pixels))):
            stop = start + len(batch[0])
            features[start:stop] = np.stack(batch, axis=1)
            bar.advance(stop - start)
            start = stop
        features.flush()
        del features
    what = f"{count_of(len(pixels), 'image')}" + (f" in {num_views} views" if num_views > 1 else "")
    say(
        "features",
        f"{what}, {count_of(shape[-1], 'number')} each, kept for all folds, "
        f"{format_duration(time.monotonic() - began)}",
    )
