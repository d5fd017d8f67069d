"""Heads: from features to probabilities."""

import keras
import numpy as np
from keras import layers

from medfold.competition import Competition


def split_backbone_and_head(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """A net as two that share its layers.

    Returns:
        The backbone, from float32 images to features float32 (batch, d); the head, from those to probabilities.
    """
    names = [layer.name for layer in model.layers]
    features = model.get_layer(STANDARDISED if STANDARDISED in names else DROPOUT).input
    backbone = keras.Model(model.input, layers.Activation("linear", dtype="float32")(features))
    return backbone, keras.Model(features, model.output)


STANDARDISED, DROPOUT = "standardised", "dropout"  # the head begins with the first of them that is there


def add_head(competition: Competition, head: str, x):
    # Small first weights: the first predictions are undecided, so no step is spent on unlearning chance.
    more = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02), "dtype": "float32"}
    columns = len(competition.prediction_columns)
    classes = cuts = None
    if head != "cut_points":
        activation = "softmax" if competition.exclusive_classes else "sigmoid"
        classes = layers.Dense(columns, activation=activation, name="head", **more)(x)
    if head != "classes":
        grade = layers.Dense(1, use_bias=False, name="grade", **more)(x)
        cuts = CutPoints(columns, dtype="float32", name="cut_points")(grade)
    if head == "both":
        return layers.Average(dtype="float32")([classes, cuts])
    return cuts if classes is None else classes


class CutPoints(layers.Layer):
    """One number per image, cut into ordered classes at points that are learnt (McCullagh 1980, proportional odds).

    P(class > k) = sigmoid(x - cut[k]); the cuts keep their order, since each is the one before plus something positive.

    Args:
        classes: how many.
    """

    def __init__(self, classes: int, **more):
        super().__init__(**more)
        self.classes = classes

    def build(self, shape):
        # At x = 0 all classes are equally probable.
        share = np.arange(1, self.classes) / self.classes
        cuts = np.log(share / (1 - share))
        steps = np.log(np.expm1(np.diff(cuts)))
        start = keras.initializers.Constant(np.concatenate([cuts[:1], steps]))
        self.cuts = self.add_weight(name="cuts", shape=(self.classes - 1,), initializer=start)
        super().build(shape)

    def call(self, x):
        steps = keras.ops.concatenate([self.cuts[:1], keras.ops.softplus(self.cuts[1:])])
        above = keras.ops.sigmoid(x - keras.ops.cumsum(steps))
        ones = keras.ops.ones_like(above[:, :1])
        return keras.ops.concatenate([ones, above], axis=1) - keras.ops.concatenate([above, 0 * ones], axis=1)
