"""Plain nets: the layers of medfold are replaced by those of Keras, with the same predictions."""

import keras
import numpy as np
import pytest

from medfold.competition import Recipe
from medfold.models import build_net
from medfold.models.plain_keras import to_plain_keras
from tests.support.helpers import competition_facts


@pytest.mark.parametrize(
    "choices",
    [
        pytest.param({"head": "ordinal", "backbone": {"name": "resnet9", "width": 4}}, id="cut points"),
        pytest.param(
            {"head": "both", "backbone": {"name": "resnet9", "width": 4}}, id="both heads", marks=pytest.mark.slow
        ),
        pytest.param({"backbone": {"name": "ResNet50"}}, id="channels turned round", marks=pytest.mark.slow),
    ],
)
def test_own_layers_are_replaced_by_plain_keras_layers(tmp_path, choices):
    keras.utils.set_random_seed(0)
    facts = competition_facts("ordinal", images={"train": "x", "test": "x", "channels": 3})
    model = build_net(facts, Recipe.model_validate({"preparation": {"size": 32}, **choices}))
    for layer in model.layers:  # other cut points than the initial ones
        if layer.name == "cut_points":
            layer.set_weights([np.array([-1.5, 0.3], np.float32)])
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    plain = to_plain_keras(model)
    plain.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_allclose(again.predict_on_batch(images), np.asarray(model(images)), atol=1e-6)
    assert not {type(layer).__name__ for layer in again.layers} & {"CutPoints", "Lambda"}
