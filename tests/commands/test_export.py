"""make export: plain Keras loads the .keras file of a trained net and predicts the same."""

import os
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from medfold.commands.export import export
from medfold.competition.project import Project
from medfold.competition.recipe import Recipe
from medfold.errors import UserError
from medfold.images.store import load_store
from medfold.models.build import build_model
from medfold.models.plain import to_plain_keras
from tests.support.helpers import competition

ALONE = """
import sys, numpy as np, keras
sys.modules["medfold"] = None
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict_on_batch(np.load(sys.argv[2]).astype(np.float32)))
"""


def test_impossible_fold_is_refused_with_the_possible_ones(trained):
    with pytest.raises(UserError, match="FOLD=7: there is no fold 7. Choose 0 to 2$"):
        export(Project.open("small"), "baseline", 7)


@pytest.mark.slow
def test_exported_net_predicts_the_same_in_plain_keras(trained, tmp_path, capsys):
    project = Project.open("small")
    file = export(project, "baseline", 0)
    assert "runs/small/baseline/baseline-fold0.keras" in capsys.readouterr().out
    note = file.with_suffix(".txt").read_text()
    assert "Input: float32 (batch, 16, 16, 1), pixels from 0 to 255" in note
    recipe = Recipe.model_validate({"images": {"size": 16}})
    (folder,) = (project.paths.data / "store").glob("*/")
    kept = load_store(project.paths, folder.name)
    oof = pd.read_csv(project.paths.run("baseline").fold(0).oof)
    images = kept.pixels[kept.rows_of(oof["id"])]
    flipped = images[:, :, ::-1]
    found = []
    for number, each in enumerate((images, flipped)):
        np.save(tmp_path / f"in{number}.npy", each)
        words = [file, tmp_path / f"in{number}.npy", tmp_path / f"out{number}.npy"]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        subprocess.run([sys.executable, "-c", ALONE, *map(str, words)], check=True, cwd=tmp_path, env=environment)
        found.append(np.load(tmp_path / f"out{number}.npy"))
    np.testing.assert_allclose(np.mean(found, axis=0)[:, 0], oof["target"], atol=1e-6)
    assert recipe.tta


@pytest.mark.parametrize(
    "choices",
    [
        pytest.param({"head": "cut_points", "backbone": {"name": "resnet9", "width": 4}}, id="cut points"),
        pytest.param({"head": "both", "backbone": {"name": "resnet9", "width": 4}}, id="both heads"),
        pytest.param({"backbone": {"name": "ResNet50"}}, id="channels turned round", marks=pytest.mark.slow),
    ],
)
def test_own_layers_are_replaced_by_plain_keras_layers(tmp_path, choices):
    keras.utils.set_random_seed(0)
    facts = competition("ordinal", images={"train": "x", "test": "x", "channels": 3})
    model = build_model(facts, Recipe.model_validate({"images": {"size": 32}, **choices}))
    for layer in model.layers:  # other cut points than the initial ones
        if layer.name == "cut_points":
            layer.set_weights([np.array([-1.5, 0.3], np.float32)])
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    plain = to_plain_keras(model)
    plain.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_allclose(again.predict_on_batch(images), np.asarray(model(images)), atol=1e-6)
    assert not {type(layer).__name__ for layer in again.layers} & {"CutPoints", "Lambda"}


def test_export_of_untrained_run_raises(folded):
    with pytest.raises(UserError, match="run 'baseline' is not trained"):
        export(folded, "baseline", 0)
