"""Training, prediction and heat maps with JAX as the backend of Keras, if it is installed."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.support.helpers import REPOSITORY

TRAIN = """
import sys
from pathlib import Path
from medfold.paths import FoldPaths
from medfold.prediction import Predictor, load_net
from medfold.training.fold.train_fold import train_fold
from medfold.training.fold_inputs import FoldInputs
from tests.support.small_tasks import task
import keras, numpy as np
assert keras.backend.backend() == sys.argv[2]
made, paths = task(epochs=4, dropout=0.2), FoldPaths(Path(sys.argv[1]))
score = train_fold(FoldInputs(made, 0, paths))
net = load_net(made.facts, made.recipe, paths.weights)
rows = made.store.rows_of(made.train["id"][made.train["fold"] == 0])
again = Predictor(net, "horizontal", tta=True)(made.store.pixels, rows)
np.save(Path(sys.argv[1]) / "again.npy", again)
print("score", score)
"""

STEPS = """
import sys
import keras, numpy as np
from medfold.training.loop.batch_trainer import BatchTrainer
assert keras.backend.backend() == sys.argv[1]

def new_trainer():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5, seed=1)]
    net = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1, "sigmoid")])
    optimizer = keras.optimizers.AdamW(use_ema=True, ema_momentum=0.9)
    return BatchTrainer(net, optimizer, keras.losses.BinaryCrossentropy(), jit_compile=True)

rng = np.random.default_rng(0)
batches = [(rng.random((8, 3)), rng.integers(0, 2, (8, 1)), rng.random(8)) for _ in range(5)]
batches = [tuple(part.astype(np.float32) for part in batch) for batch in batches]
reading, waiting_for_none = new_trainer(), new_trainer()
train_on_batch, read = waiting_for_none.net.train_on_batch, []
waiting_for_none.net.train_on_batch = lambda *given, **named: read.append(1) or train_on_batch(*given, **named)
for batch in batches:
    waiting_for_none(*batch)
    reading._is_built = False  # so each step is the first one, which reads its loss
    reading(*batch)
assert len(read) == 1, read
assert waiting_for_none.loss() == reading.loss()
for name, found, expected in zip(reading.variable_specs, waiting_for_none.values(), reading.values(), strict=True):
    np.testing.assert_array_equal(found, expected, err_msg=name)
assert waiting_for_none.num_overflowed() == 0
print("equal")
"""

MAPS = """
import sys
import keras, numpy as np
from medfold.prediction import GradCam
from tests.support.heat_maps import build, noise
assert keras.backend.backend() == sys.argv[2]
maps = {}
for name, words in NETS.items():
    net, rng = build(**words), np.random.default_rng(1)
    net.set_weights([
        rng.uniform(0.5, 1.5, each.shape) if "variance" in each.name else rng.normal(0, 0.3, each.shape)
        for each in net.weights
    ])
    pixels = noise(20)
    maps[name] = GradCam(net)(pixels, np.arange(20) % net.output.shape[-1], signed=True)
    maps[name + ", again"] = GradCam(net)(pixels, np.arange(20) % net.output.shape[-1], signed=True)
np.savez(sys.argv[1], **maps)
"""
NETS = {
    "one map": {"task": "multiclass"},
    "maps of several resolutions": {"task": "multilabel", "pooling": "pyramid"},
    "a grade": {"task": "ordinal", "head": "ordinal"},
    "no map": {"name": "simple_cnn"},
}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_trains_fold_and_reloads_its_weights(tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"}
    process = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path), "jax"], capture_output=True, text=True, env=environment
    )
    assert process.returncode == 0, process.stderr[-2000:]
    assert float(process.stdout.split("score")[-1]) > 0.9
    oof = pd.read_csv(tmp_path / "oof.csv")["target"]
    np.testing.assert_allclose(np.load(tmp_path / "again.npy")[:, 0], oof, atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_steps_read_no_loss_and_change_the_same_variables():
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"}
    process = subprocess.run([sys.executable, "-c", STEPS, "jax"], capture_output=True, text=True, env=environment)
    assert process.returncode == 0, process.stderr[-2000:]
    assert process.stdout == "equal\n"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_heat_maps_match_tensorflow(tmp_path):
    maps = {}
    for backend in ("tensorflow", "jax"):
        environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"}
        code = f"NETS = {NETS!r}" + MAPS
        process = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / f"{backend}.npz"), backend],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert process.returncode == 0, process.stderr[-2000:]
        maps[backend] = dict(np.load(tmp_path / f"{backend}.npz"))
    for name, expected in maps["tensorflow"].items():
        scale = np.abs(expected).max()
        assert scale > 0, name
        np.testing.assert_allclose(maps["jax"][name] / scale, expected / scale, atol=1e-4, err_msg=name)
