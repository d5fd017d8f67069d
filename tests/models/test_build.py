"""Nets built from recipes: backbones, input scaling, pooling, heads, precision, weights."""

import keras
import numpy as np
import pytest
import yaml

from medfold.competition.recipe import Recipe
from medfold.config import merge
from medfold.errors import UserError
from medfold.models.backbones import BACKBONES
from medfold.models.build import build_model
from medfold.models.device import resolve_precision
from medfold.models.heads import CutPoints, split_backbone_and_head
from medfold.models.input_scaling import TORCH_MEAN, TORCH_STD, scale_input
from medfold.models.pooling import feature_maps
from medfold.prediction.weights import load_model, save_weights
from medfold.training import losses
from medfold.training.augmentation import build_augmenter
from medfold.training.batch_trainer import BatchTrainer
from medfold.training.optimizer import build_optimizer
from tests.support.helpers import REPOSITORY, competition


def recipe(name="resnet9", size=32, **backbone):
    return Recipe.model_validate({"images": {"size": size}, "backbone": {"name": name, "width": 4, **backbone}})


def facts(task="binary", channels=1):
    images = {"train": "x", "test": "x", "channels": channels, "symmetry": "dihedral"}
    return competition(task, images=images)


def batch(channels, size=32):
    return np.random.default_rng(0).integers(0, 256, (3, size, size, channels)).astype(np.float32)


def test_pyramid_pools_last_feature_map_of_each_resolution():
    keras.utils.set_random_seed(0)
    model = build_model(facts(channels=3), recipe("MobileNetV2", size=64, pooling="pyramid"))
    net = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    seen, _ = split_backbone_and_head(model)
    images = batch(3, size=64)
    features = np.asarray(seen(images))
    ends = ["block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu", "out_relu"]  # 16, 8, 4 and 2 px
    maps = keras.Model(net.input, [net.get_layer(name).output for name in ends])(images / 127.5 - 1)
    expected = [pool for each in maps for pool in (np.mean(each, axis=(1, 2)), np.max(each, axis=(1, 2)))]
    np.testing.assert_allclose(features, np.concatenate(expected, axis=1), atol=1e-5)


def test_pyramid_finds_feature_maps_at_indivisible_sizes():
    """Feature maps may be sums that are no layers (ConvNeXt); a quarter of 50 px is rounded up to 13."""
    net = keras.applications.ConvNeXtTiny(include_top=False, weights=None, input_shape=(64, 64, 3))
    downsampling = next(layer for layer in net.layers if "downsampling_block_0" in layer.name)
    assert feature_maps(net)[0] is downsampling.input
    net = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(50, 50, 3))
    assert [each.shape[1] for each in feature_maps(net)] == [13, 7, 4, 2]


@pytest.mark.parametrize(("name", "width"), [("resnet9", 2 * (32 + 32)), ("simple_cnn", 128)])
def test_own_backbones_support_pyramid_pooling(name, width):
    seen, _ = split_backbone_and_head(build_model(facts(), recipe(name, size=28, pooling="pyramid")))
    assert seen.output_shape == (None, width)


MOBILE = pytest.param("MobileNetV2", marks=pytest.mark.slow)  # a net of keras.applications takes seconds to build


@pytest.mark.parametrize("name", ["simple_cnn", "resnet9", MOBILE])
@pytest.mark.parametrize("channels", [1, 3])
def test_reloaded_weights_give_equal_predictions(tmp_path, name, channels):
    keras.utils.set_random_seed(0)
    model = build_model(facts("multiclass", channels), recipe(name))
    save_weights(model, tmp_path / "weights.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.h5"]
    keras.utils.set_random_seed(1)
    again = load_model(facts("multiclass", channels), recipe(name), tmp_path / "weights.h5")
    images = batch(channels)
    np.testing.assert_array_equal(model(images), again(images))
    np.testing.assert_allclose(np.sum(model(images), axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("task", "columns", "activation"),
    [("binary", 1, "sigmoid"), ("multilabel", 2, "sigmoid"), ("multiclass", 3, "softmax"), ("ordinal", 3, "softmax")],
)
def test_head_fits_the_task(task, columns, activation):
    model = build_model(facts(task), recipe())
    assert model.output_shape == (None, columns)
    assert model.layers[-1].activation.__name__ == activation


def scaled(scaling, channels=3, value=255.0):
    model = build_model(facts(channels=channels), recipe("simple_cnn", input_scaling=scaling))
    convolution = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    inputs = keras.Model(model.inputs, convolution.input)
    return np.asarray(inputs(np.full((1, 32, 32, channels), value, np.float32)))[0, 0, 0]


def test_input_scalings_match_their_definitions():
    assert scaled("unit").tolist() == [1, 1, 1]
    assert scaled("tf").tolist() == [1, 1, 1]
    assert scaled("tf", value=0).tolist() == [-1, -1, -1]
    expected = [(1 - mean) / std for mean, std in zip(TORCH_MEAN, TORCH_STD, strict=True)]
    assert scaled("torch").tolist() == pytest.approx(expected, abs=1e-5)
    reference = keras.applications.imagenet_utils.preprocess_input(np.full((1, 1, 1, 3), 255.0), mode="caffe")
    assert scaled("caffe").tolist() == pytest.approx(reference[0, 0, 0].tolist(), abs=1e-4)
    assert scaled("torch", channels=1).shape == (1,)
    assert scaled("caffe", channels=1).shape == (1,)


@pytest.mark.slow
def test_pretrained_weights_are_read_from_file(tmp_path):
    keras.utils.set_random_seed(3)
    source = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    source.save_weights(tmp_path / "net.weights.h5")
    model = build_model(facts(), recipe("MobileNetV2", weights=str(tmp_path / "net.weights.h5")))
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    np.testing.assert_array_equal(inner.get_weights()[0], source.get_weights()[0])


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
        with pytest.raises(UserError, match=message) as caught:
            build_model(facts(), recipe(**changes))
        assert "\n" not in str(caught.value)


def test_every_keras_application_has_its_own_scaling():
    nets = {name for name in dir(keras.applications) if name[0].isupper()}
    assert nets <= set(BACKBONES.names())
    expected = {
        "tf": "MobileNet MobileNetV2 ResNet50V2 ResNet152V2 InceptionV3 InceptionResNetV2 Xception NASNetMobile",
        "torch": "DenseNet121 DenseNet201",
        "caffe": "VGG16 ResNet50 ResNet101",
        "own": "ConvNeXtTiny EfficientNetB0 EfficientNetB7 EfficientNetV2B0 EfficientNetV2S MobileNetV3Small",
    }
    for scaling, names in expected.items():
        assert {BACKBONES[name].scaling for name in names.split()} == {scaling}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("VGG16", 32), ("DenseNet121", 32), ("ResNet50V2", 32), ("Xception", 71)])
def test_scaling_matches_keras_preprocess_input(name, size):
    """keras.applications scales the same image to the same values."""
    package = {"VGG16": "vgg16", "DenseNet121": "densenet", "ResNet50V2": "resnet_v2", "Xception": "xception"}[name]
    reference = getattr(keras.applications, package).preprocess_input(batch(3, size).copy())
    ours = scale_input(keras.ops.convert_to_tensor(batch(3, size)), BACKBONES[name].scaling)
    np.testing.assert_allclose(np.asarray(ours), np.asarray(reference), atol=1e-3)


def test_self_scaling_backbone_rejects_input_scaling():
    with pytest.raises(UserError, match="EfficientNetB0 scales its input itself"):
        build_model(facts(), recipe("EfficientNetB0", input_scaling="torch"))


FAMILIES = [
    *[("ConvNeXtTiny", 32), ("DenseNet121", 32), ("EfficientNetB0", 32), ("EfficientNetV2B0", 32), ("MobileNet", 32)],
    *[("InceptionResNetV2", 75), ("InceptionV3", 75), ("MobileNetV3Small", 32), ("NASNetMobile", 32)],
    *[("ResNet50", 32), ("ResNet50V2", 32), ("VGG16", 32), ("Xception", 71)],
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), FAMILIES)
def test_every_backbone_family_trains_and_reloads(tmp_path, name, size):
    keras.utils.set_random_seed(0)
    model = build_model(facts(channels=3), recipe(name, size))
    step = BatchTrainer(model, keras.optimizers.AdamW(1e-3), keras.losses.BinaryCrossentropy())
    before = [weight.copy() for weight in model.get_weights()]
    step(batch(3, size), np.array([[0], [1], [1]], np.float32), np.ones(3, np.float32))
    assert np.isfinite(step.loss())
    assert any((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    save_weights(model, tmp_path / "weights.h5")
    keras.utils.set_random_seed(1)
    again = load_model(facts(channels=3), recipe(name, size), tmp_path / "weights.h5")
    np.testing.assert_array_equal(model(batch(3, size)), again(batch(3, size)))
    pyramid = build_model(facts(channels=3), recipe(name, size, pooling="pyramid"))
    assert split_backbone_and_head(pyramid)[0].output_shape[1] >= 2 * split_backbone_and_head(model)[0].output_shape[1]


def test_weights_of_another_net_raise(tmp_path):
    save_weights(build_model(facts(), recipe()), tmp_path / "weights.h5")
    with pytest.raises(UserError, match=r"weights.h5: weights do not fit the recipe"):
        load_model(facts(), recipe("simple_cnn"), tmp_path / "weights.h5")


def test_cut_points_start_uniform_and_stay_ordered():
    layer = CutPoints(5)
    middle = np.asarray(layer(np.zeros((1, 1), np.float32)))
    np.testing.assert_allclose(middle, 0.2, atol=1e-6)
    layer.cuts.assign([0.5, -3.0, 1.0, -20.0])  # any trained values keep the cut points in order
    values = np.asarray(layer(np.linspace(-9, 9, 40, dtype=np.float32)[:, None]))
    assert values.shape == (40, 5)
    assert (values >= 0).all()
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)
    expected = values @ np.arange(5)
    assert (np.diff(expected) > 0).all()


def test_cut_points_need_ordered_classes():
    chosen = Recipe.model_validate({"images": {"size": 32}, "head": "cut_points"})
    assert build_model(facts("ordinal"), chosen).output_shape == (None, 3)
    with pytest.raises(UserError, match="head: task multiclass has no ordered classes"):
        build_model(facts("multiclass"), chosen)


@pytest.mark.parametrize("name", ["resnet9", MOBILE])
def test_backbone_and_head_compose_to_the_net(name):
    model = build_model(facts("ordinal"), recipe(name))
    backbone, head = split_backbone_and_head(model)
    assert len(head.trainable_variables) == 2
    np.testing.assert_allclose(model(batch(1)), head(backbone(batch(1))), atol=1e-6)
    head.layers[-1].set_weights([weight + 1 for weight in head.layers[-1].get_weights()])
    np.testing.assert_allclose(model(batch(1)), head(backbone(batch(1))), atol=1e-6)


@pytest.mark.slow
def test_frozen_batch_normalisation_is_not_updated():
    free, frozen = (build_model(facts(), recipe("MobileNetV2", freeze_norm=choice)) for choice in (False, True))
    assert len(frozen.trainable_variables) < len(free.trainable_variables)
    step = BatchTrainer(frozen, keras.optimizers.AdamW(1e-3), keras.losses.BinaryCrossentropy())
    before = [variable.numpy() for variable in frozen.non_trainable_variables if "seed" not in variable.name]
    step(batch(1), np.array([[0], [1], [1]], np.float32), np.ones(3, np.float32))
    after = [variable.numpy() for variable in frozen.non_trainable_variables if "seed" not in variable.name]
    assert all((old == new).all() for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_keeps_float32_weights_and_outputs(tmp_path, precision):
    keras.utils.set_random_seed(0)
    full = build_model(facts(), recipe("resnet9"))
    keras.utils.set_random_seed(0)
    half = build_model(facts(), recipe("resnet9"), precision=precision)
    assert keras.config.dtype_policy().name == "float32"
    assert {layer.compute_dtype for layer in half.layers if isinstance(layer, keras.layers.Conv2D)} == {precision}
    assert {variable.dtype for variable in half.trainable_variables} == {"float32"}
    assert np.asarray(half(batch(1))).dtype == np.float32
    np.testing.assert_allclose(half(batch(1)), full(batch(1)), atol=0.02)
    save_weights(half, tmp_path / "weights.h5")
    again = load_model(facts(), recipe("resnet9"), tmp_path / "weights.h5")
    np.testing.assert_array_equal(again(batch(1)), full(batch(1)))


def test_auto_precision_depends_on_gpu_capability(monkeypatch):
    import tensorflow as tf

    assert resolve_precision("bfloat16") == "bfloat16"
    for capability, expected in (((7, 5), "float16"), ((6, 1), "float32")):
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
        details = {"compute_capability": capability}
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device, details=details: details)
        assert resolve_precision("auto") == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "base", sorted(path.stem for path in (REPOSITORY / "competition" / "_base").glob("gpu_*.yaml"))
)
def test_gpu_recipes_train_a_step_at_small_size(base):
    content = yaml.safe_load((REPOSITORY / "competition" / "_base" / f"{base}.yaml").read_text())
    chosen = Recipe.model_validate(merge(content, {"images": {"size": 32}, "backbone": {"weights": "none"}}))
    model = build_model(facts("ordinal", channels=3), chosen)
    step = BatchTrainer(
        model,
        build_optimizer(chosen.training, chosen.training.learning_rate, 10),
        losses.build_loss(facts("ordinal"), chosen.training),
    )
    step(batch(3), np.eye(3, dtype=np.float32), np.ones(3, np.float32))
    assert np.isfinite(step.loss())
    build_augmenter(chosen.augment, "dihedral", (32, 32, 3))
