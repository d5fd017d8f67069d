"""A trained net: predictions by the net of its last phase, always in float32."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from medfold.models import build_net, split_backbone_and_head
from medfold.training.fold import trained_net
from medfold.training.fold.trained_net import TrainedNet, in_full_precision
from tests.support.fake_trainings import fake_phase
from tests.support.nets import facts, recipe

INPUTS = SimpleNamespace(facts=facts(), recipe=recipe("simple_cnn", size=16))


@pytest.fixture(scope="module")
def half_net():
    """A net that computes in float16."""
    return build_net(INPUTS.facts, INPUTS.recipe, precision="float16")


def last_phase(name: str, model):
    phase = fake_phase(name)
    phase.batch_trainer.net = model
    return phase


def test_float32_net_is_used_as_it_is():
    phase = last_phase("all", object())
    assert in_full_precision(INPUTS, object(), phase, "float32") is phase.batch_trainer.net


@pytest.mark.parametrize("name", ["all", "head"])
def test_half_precision_net_is_rebuilt_in_float32_with_its_weights(half_net, name):
    found = in_full_precision(INPUTS, half_net, last_phase(name, half_net), "float16")
    assert found.compute_dtype == "float32" or {layer.compute_dtype for layer in found.layers} == {"float32"}
    trained = half_net if name == "all" else split_backbone_and_head(half_net)[1]
    for weight, expected in zip(found.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert found.input.shape == trained.input.shape


@pytest.mark.parametrize("tta", [True, False])
def test_rows_are_predicted_from_the_inputs_of_the_last_phase(monkeypatch, tta):
    made, advanced = [], []

    class FakePredictor:
        def __init__(self, net, symmetry, tta, view_of):
            made.append((net, symmetry, tta, view_of))

        def __call__(self, inputs, rows, advance):
            advance(len(rows))
            return inputs[rows]

    monkeypatch.setattr(trained_net, "Predictor", FakePredictor)
    phase = replace(fake_phase("head"), net_inputs=np.arange(10.0)[:, None], view_of=lambda batch, number: batch)
    net = TrainedNet(facts(), None, phase, "inference net", None, pd.DataFrame())
    found = net.predict(np.array([7, 2]), tta, advanced.append)
    assert found.tolist() == [[7], [2]]
    assert made == [("inference net", "dihedral", tta, phase.view_of)]
    assert advanced == [2]
    assert net.predict(np.array([1]), tta).tolist() == [[1]]
