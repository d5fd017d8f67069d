"""make export: plain Keras loads the .keras file of a trained net and predicts the same."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medfold.commands.export import export
from medfold.competition import Competition, Recipe
from medfold.images import load_store
from tests.support.finished_runs import finished_run
from tests.support.helpers import refused

ALONE = """
import sys, numpy as np, keras
sys.modules["medfold"] = None
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict_on_batch(np.load(sys.argv[2]).astype(np.float32)))
"""


def test_impossible_fold_is_refused_with_the_possible_ones(folded):
    finished_run(folded, "baseline")
    with refused("FOLD=7: there is no fold 7. Choose 0 to 2$"):
        export(folded, "baseline", 7)


@pytest.mark.parametrize("out", ["model.h5", "models/", "model"])
def test_name_that_keras_cannot_open_is_refused(folded, out):
    finished_run(folded, "baseline")
    with refused(r"OUT=\S+: the name of the file must end in \.keras, .*OUT=model\.keras$"):
        export(folded, "baseline", 0, Path(out))


@pytest.mark.slow
def test_exported_net_predicts_the_same_in_plain_keras(trained, tmp_path, capsys):
    competition = Competition.open("small")
    file = export(competition, "baseline", 0)
    assert "runs/small/baseline/baseline-fold0.keras" in capsys.readouterr().out
    note = file.with_suffix(".txt").read_text()
    assert "Input: float32 (batch, 16, 16, 1), pixels from 0 to 255" in note
    (folder,) = (competition.paths.data / "store").glob("*/")
    kept = load_store(competition.paths, folder.name)
    oof = pd.read_csv(competition.paths.run("baseline").fold(0).oof)
    images = kept.pixels[kept.rows_of(oof["id"])]
    flipped = images[:, :, ::-1]
    found = []
    for number, each in enumerate((images, flipped)):
        np.save(tmp_path / f"in{number}.npy", each)
        words = [file, tmp_path / f"in{number}.npy", tmp_path / f"out{number}.npy"]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        subprocess.run([sys.executable, "-c", ALONE, *map(str, words)], check=True, cwd=tmp_path, env=environment)
        found.append(np.load(tmp_path / f"out{number}.npy"))
    assert Recipe().tta is True  # so OOF predictions are the mean of both views
    np.testing.assert_allclose(np.mean(found, axis=0)[:, 0], oof["target"], atol=1e-6)


def test_export_of_untrained_run_is_refused(folded):
    with refused("run 'baseline' is not trained"):
        export(folded, "baseline", 0)
