"""Heads: one per task, cut points, and the split of a net before its head."""

import keras
import numpy as np
import pytest

from medfold.competition import Recipe
from medfold.models import build_net
from medfold.models.heads import CutPoints, split_backbone_and_head
from tests.support.helpers import refused
from tests.support.nets import batch, facts, recipe

MOBILE = pytest.param("MobileNetV2", marks=pytest.mark.slow)  # a net of keras.applications takes seconds to build


@pytest.mark.parametrize(
    ("task", "columns", "activation"),
    [("binary", 1, "sigmoid"), ("multilabel", 2, "sigmoid"), ("multiclass", 3, "softmax"), ("ordinal", 3, "softmax")],
)
def test_head_fits_the_task(task, columns, activation):
    model = build_net(facts(task), recipe())
    assert model.output_shape == (None, columns)
    assert model.layers[-1].activation.__name__ == activation


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
    chosen = Recipe.model_validate({"preparation": {"size": 32}, "head": "ordinal"})
    assert build_net(facts("ordinal"), chosen).output_shape == (None, 3)
    with refused("head: task multiclass has no ordered classes"):
        build_net(facts("multiclass"), chosen)


@pytest.mark.parametrize(
    ("head", "layers"),
    [("classification", {"head"}), ("ordinal", {"grade", "cut_points"}), ("both", {"head", "grade", "cut_points"})],
)
def test_head_is_that_of_the_recipe(head, layers):
    model = build_net(facts("ordinal"), Recipe.model_validate({**recipe("simple_cnn").model_dump(), "head": head}))
    assert {layer.name for layer in model.layers} & {"head", "grade", "cut_points"} == layers
    if head == "both":
        parts = keras.Model(model.input, [model.get_layer("head").output, model.get_layer("cut_points").output])
        np.testing.assert_allclose(
            model(batch(1)), np.mean([np.asarray(each) for each in parts(batch(1))], axis=0), atol=1e-6
        )


@pytest.mark.parametrize("name", ["resnet9", MOBILE])
def test_backbone_and_head_compose_to_the_net(name):
    model = build_net(facts("ordinal"), recipe(name))
    backbone, head = split_backbone_and_head(model)
    assert len(head.trainable_variables) == 2
    np.testing.assert_allclose(model(batch(1)), head(backbone(batch(1))), atol=1e-6)
    head.layers[-1].set_weights([weight + 1 for weight in head.layers[-1].get_weights()])
    np.testing.assert_allclose(model(batch(1)), head(backbone(batch(1))), atol=1e-6)
