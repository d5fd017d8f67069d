"""Nets built from recipes: backbones, input scaling, pooling, heads, precision, weights."""

import keras
import numpy as np
import pytest

from medfold.competition import Recipe, load_recipe
from medfold.models.build import build_net
from medfold.paths import ProjectPaths
from medfold.prediction import load_net, save_weights
from medfold.system.processes import run_in_subprocess
from medfold.training.batches.augmentation import build_augmenter
from medfold.training.loop import losses
from medfold.training.loop.batch_trainer import BatchTrainer
from medfold.training.loop.optimizer import build_optimizer
from tests.support.helpers import REPOSITORY, refused, slow_but_first
from tests.support.nets import batch, facts, recipe


def test_invalid_backbone_settings_raise_in_one_line(tmp_path):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "page.weights.h5").write_text("<html>Not found</html>")
    for changes, message in (
        ({"name": "resnet99"}, "unknown backbone 'resnet99' .did you mean 'resnet9'"),
        ({"name": "resnet9", "weights": "imagenet"}, "resnet9 has no pretrained weights"),
        ({"name": "MobileNetV2", "weights": "nowhere.h5"}, "nowhere.h5: no such weights file"),
        ({"name": "MobileNetV2", "weights": str(tmp_path / "other.weights.h5")}, "weights do not fit"),
        ({"name": "MobileNetV2", "weights": str(tmp_path / "page.weights.h5")}, "weights do not fit"),
        ({"name": "MobileNetV2", "size": 16}, "too small for MobileNetV2"),
    ):
        with refused(message) as caught:
            build_net(facts(), recipe(**changes))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.75])
def test_share_of_the_features_is_dropped_before_the_head(share):
    chosen = Recipe.model_validate(recipe("simple_cnn").model_dump() | {"training": {"dropout": share}})
    net = build_net(facts(), chosen)
    assert net.get_layer("head").input is net.get_layer("dropout").output
    dropped = net.get_layer("dropout")(np.ones((64, 128), np.float32), training=True)
    assert np.mean(np.asarray(dropped) == 0) == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize("precision", slow_but_first("float16", "bfloat16"))
def test_half_precision_keeps_float32_weights_and_outputs(tmp_path, precision):
    keras.utils.set_random_seed(0)
    full = build_net(facts(), recipe("resnet9"))
    keras.utils.set_random_seed(0)
    half = build_net(facts(), recipe("resnet9"), precision=precision)
    assert keras.config.dtype_policy().name == "float32"
    assert {layer.compute_dtype for layer in half.layers if isinstance(layer, keras.layers.Conv2D)} == {precision}
    assert {variable.dtype for variable in half.trainable_variables} == {"float32"}
    assert np.asarray(half(batch(1))).dtype == np.float32
    np.testing.assert_allclose(half(batch(1)), full(batch(1)), atol=0.02)
    save_weights(half, tmp_path / "weights.h5")
    again = load_net(facts(), recipe("resnet9"), tmp_path / "weights.h5")
    np.testing.assert_array_equal(again(batch(1)), full(batch(1)))


def loss_of_a_step(name: str) -> float:
    """Returns the loss of one training step of a GPU recipe on small images."""
    small = {"preparation": {"size": 32}, "backbone": {"weights": "none"}}
    chosen = load_recipe(ProjectPaths(REPOSITORY).competition(name), "gpu", small)
    model = build_net(facts("ordinal", channels=3), chosen)
    step = BatchTrainer(
        model,
        build_optimizer(chosen.training, chosen.training.learning_rate, 10),
        losses.build_loss(facts("ordinal"), chosen.training),
    )
    step(batch(3), np.eye(3, dtype=np.float32), np.ones(3, np.float32))
    build_augmenter(chosen.augment, "dihedral", (32, 32, 3))
    return float(step.loss())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["aptos2019-blindness-detection", "rsna-breast-cancer-detection"],
)
def test_gpu_recipes_train_a_step_at_small_size(name):
    # TensorFlow keeps half a gigabyte for the graph of each of these nets until its process ends.
    assert np.isfinite(run_in_subprocess("training step", loss_of_a_step, name))
