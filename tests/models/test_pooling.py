"""Pyramid pooling: the feature maps of a net."""

import keras
import numpy as np
import pytest

from medfold.models import build_net, split_backbone_and_head
from medfold.models.pooling import feature_maps
from tests.support.nets import batch, facts, recipe


def test_pyramid_pools_last_feature_map_of_each_resolution():
    keras.utils.set_random_seed(0)
    model = build_net(facts(channels=3), recipe("MobileNetV2", size=64, pooling="pyramid"))
    net = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    seen, _ = split_backbone_and_head(model)
    images = batch(3, size=64)
    features = np.asarray(seen(images))
    ends = ["block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu", "out_relu"]  # 16, 8, 4 and 2 px
    maps = keras.Model(net.input, [net.get_layer(name).output for name in ends])(images / 127.5 - 1)
    expected = [pool for each in maps for pool in (np.mean(each, axis=(1, 2)), np.max(each, axis=(1, 2)))]
    np.testing.assert_allclose(features, np.concatenate(expected, axis=1), atol=1e-5)


@pytest.mark.slow
def test_pyramid_finds_feature_maps_at_indivisible_sizes():
    """Feature maps may be sums that are no layers (ConvNeXt); a quarter of 50 px is rounded up to 13."""
    net = keras.applications.ConvNeXtTiny(include_top=False, weights=None, input_shape=(64, 64, 3))
    downsampling = next(layer for layer in net.layers if "downsampling_block_0" in layer.name)
    assert feature_maps(net)[0] is downsampling.input
    net = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(50, 50, 3))
    assert [each.shape[1] for each in feature_maps(net)] == [13, 7, 4, 2]
