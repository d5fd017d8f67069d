"""Another backend of Keras trains and predicts, where it is installed."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from medfold.hardware import keras_backend
from tests.support.helpers import REPOSITORY

TRAIN = """
import sys
from pathlib import Path
from medfold.run_paths import FoldPaths
from medfold.prediction import Predictor, load_model
from medfold.training import fold
from tests.training.test_fold import task
import keras, numpy as np
assert keras.backend.backend() == sys.argv[2]
made, paths = task(epochs=4, dropout=0.2), FoldPaths(Path(sys.argv[1]))
score = fold.train_fold(made, 0, paths)
net = load_model(made.competition, made.recipe, paths.weights)
rows = made.store.rows_of(made.train["id"][made.train["fold"] == 0])
again = Predictor(net, "horizontal", tta=True)(made.store.pixels, rows)
np.save(Path(sys.argv[1]) / "again.npy", again)
print("score", score)
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_trains_a_fold_and_predicts_the_same_from_its_weights(tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"}
    run = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path), "jax"], capture_output=True, text=True, env=environment
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert float(run.stdout.split("score")[-1]) > 0.9
    oof = pd.read_csv(tmp_path / "oof.csv")["target"]
    np.testing.assert_allclose(np.load(tmp_path / "again.npy")[:, 0], oof, atol=1e-6)


def test_the_backend_is_known_without_importing_keras(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert keras_backend() == "tensorflow"
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    assert keras_backend() == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert keras_backend() == "torch"
