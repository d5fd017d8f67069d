"""Heads of nets, which turn features into probabilities."""

import keras
import numpy as np
from keras import layers

from medfold.competition import CompetitionFacts

STANDARDISED, DROPOUT = "standardised", "dropout"  # layer names; the head starts at the first one that exists


def split_backbone_and_head(net: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Splits a net into backbone and head, which share its layers.

    Returns:
        The backbone, from float32 images to float32 features (batch, d); and the head, from features to probabilities.
    """
    names = [layer.name for layer in net.layers]
    features = net.get_layer(STANDARDISED if STANDARDISED in names else DROPOUT).input
    backbone = keras.Model(net.input, layers.Activation("linear", dtype="float32")(features))
    return backbone, keras.Model(features, net.output)


def add_head(facts: CompetitionFacts, head: str, features):
    """Adds a head to features.

    Args:
        facts: facts of the competition (task and number of outputs).
        head: classification (an output per class or label), ordinal (ordered classes from one grade) or both (their
            mean).
        features: (batch, d).

    Returns:
        Probabilities, float32 (batch, columns).
    """
    # With small initial weights the first predictions are undecided, so no steps are spent on unlearning random ones.
    options = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02), "dtype": "float32"}
    num_columns = len(facts.prediction_columns)
    classes = cuts = None
    if head != "ordinal":
        activation = "softmax" if facts.has_exclusive_classes else "sigmoid"
        classes = layers.Dense(num_columns, activation=activation, name="head", **options)(features)
    if head != "classification":
        grade = layers.Dense(1, use_bias=False, name="grade", **options)(features)
        cuts = CutPoints(num_columns, dtype="float32", name="cut_points")(grade)
    if head == "both":
        return layers.Average(dtype="float32")([classes, cuts])
    return cuts if classes is None else classes


class CutPoints(layers.Layer):
    """Probabilities of ordered classes from one grade per image and learnt cut points.

    This is the proportional odds model (McCullagh 1980): P(class > k) = sigmoid(x - cut[k]). The cuts stay ordered,
    since each one is the previous cut plus a positive step.

    Args:
        num_classes: number of classes.
        options: arguments of `keras.layers.Layer`.
    """

    def __init__(self, num_classes: int, **options):
        super().__init__(**options)
        self.num_classes = num_classes

    def build(self, shape):
        """Creates the cut points, for an input of (batch, 1)."""
        # At x = 0 all classes are equally probable.
        share = np.arange(1, self.num_classes) / self.num_classes
        cuts = np.log(share / (1 - share))
        steps = np.log(np.expm1(np.diff(cuts)))
        start = keras.initializers.Constant(np.concatenate([cuts[:1], steps]))
        self.cuts = self.add_weight(name="cuts", shape=(self.num_classes - 1,), initializer=start)
        super().build(shape)

    def call(self, x):
        """Converts grades (batch, 1) to probabilities (batch, classes)."""
        steps = keras.ops.concatenate([self.cuts[:1], keras.ops.softplus(self.cuts[1:])])
        above = keras.ops.sigmoid(x - keras.ops.cumsum(steps))
        ones = keras.ops.ones_like(above[:, :1])
        return keras.ops.concatenate([ones, above], axis=1) - keras.ops.concatenate([above, 0 * ones], axis=1)
