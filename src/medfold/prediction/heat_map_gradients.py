"""Gradients of an output's logit, for heat maps: with TensorFlow or JAX, whichever is the backend of Keras."""

from collections.abc import Callable

import keras
from keras import layers

from medfold.errors import UserError


def weighted_maps(net: keras.Model, kernel: keras.Variable, batch_size: int) -> Callable[..., list]:
    """Returns a compiled function that computes the parts of a heat map.

    Args:
        net: net from float32 images (batch, height, width, channels) to the feature maps that are pooled, and the
            features that the head takes; without maps to the features alone.
        kernel: weights of the head, (features, columns).
        batch_size: the number of images of each call.

    Returns:
        A function (images, columns int32 (batch,)) -> arrays float32 (batch, height, width): each feature map times
        the mean gradient of the chosen logit over its positions, summed over the channels; without maps the largest
        absolute gradient at the input among the channels. A head with one column takes that one for all images.

    Raises:
        UserError: the backend of Keras is neither TensorFlow nor JAX.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _with_tensorflow(net, kernel)
    if backend == "jax":
        return _with_jax(net, kernel, batch_size)
    fix = "Weights do not depend on the backend: run this command with KERAS_BACKEND=tensorflow"
    raise UserError("heat maps need TensorFlow or JAX", backend, fix)


def _chosen_logits(features, kernel, columns):
    """Returns the logit of each image, before sigmoid or softmax: a confident probability has almost no gradient."""
    logits = keras.ops.matmul(features, keras.ops.cast(kernel, features.dtype))
    if logits.shape[1] == 1:
        return logits[:, 0]
    return keras.ops.take_along_axis(logits, columns[:, None], axis=1)[:, 0]


def _heat(feature_map, gradient):
    """Returns the Grad-CAM of a map: its channels, weighted by their mean gradient."""
    weights = keras.ops.mean(gradient, axis=(1, 2), keepdims=True)
    return keras.ops.cast(keras.ops.sum(feature_map * weights, axis=-1), "float32")


def _with_tensorflow(net: keras.Model, kernel: keras.Variable) -> Callable[..., list]:
    """Returns the function of `weighted_maps` for TensorFlow."""
    import tensorflow as tf

    @tf.function
    def compute(images, columns):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = net(images, training=False)
            *maps, features = outputs if isinstance(outputs, list) else [outputs]  # Keras unwraps a list of one
            logit = tf.reduce_sum(_chosen_logits(features, kernel, columns))
        if not maps:
            return [tf.reduce_max(tf.abs(tape.gradient(logit, images)), axis=-1)]
        return [_heat(*pair) for pair in zip(maps, tape.gradient(logit, maps), strict=True)]

    return compute


class _Shift(layers.Layer):
    """Layer that adds zeros to a feature map: the gradient at the zeros is the gradient at the map."""

    def build(self, shape):
        self.zeros = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="zeros")

    def call(self, inputs):
        return inputs + keras.ops.cast(self.zeros, inputs.dtype)


def _with_jax(net: keras.Model, kernel: keras.Variable, batch_size: int) -> Callable[..., list]:
    """Returns the function of `weighted_maps` for JAX.

    JAX has no gradient at values inside a net. So zeros are added to each feature map, and the gradient at the zeros is
    taken.
    """
    import jax

    net, shifts = with_shifts(net, batch_size)
    trainable, fixed = net.trainable_variables, net.non_trainable_variables
    shift_positions = [number for number, variable in enumerate(fixed) if any(variable is shift for shift in shifts)]

    def logit(zeros, images, columns, trained_values, fixed_values, kernel_value):
        fixed_values = list(fixed_values)
        for number, value in zip(shift_positions, zeros, strict=True):
            fixed_values[number] = value
        outputs, _ = net.stateless_call(trained_values, fixed_values, images, training=False)
        *maps, features = outputs if isinstance(outputs, list) else [outputs]
        return keras.ops.sum(_chosen_logits(features, kernel_value, columns)), maps

    @jax.jit
    def gradients(images, columns, trained_values, fixed_values, kernel_value):
        zeros = [fixed_values[number] for number in shift_positions]
        (zero_gradients, image_gradients), maps = jax.grad(logit, (0, 1), has_aux=True)(
            zeros, images, columns, trained_values, fixed_values, kernel_value
        )
        if not maps:
            return [keras.ops.max(keras.ops.abs(image_gradients), axis=-1)]
        return [_heat(*pair) for pair in zip(maps, zero_gradients, strict=True)]

    def compute(images, columns):
        values = ([variable.value for variable in variables] for variables in (trainable, fixed))
        return gradients(images, columns, *values, kernel.value)

    return compute


def with_shifts(net: keras.Model, batch_size: int) -> tuple[keras.Model, list[keras.Variable]]:
    """Returns a copy of the net with a `_Shift` behind each of its feature maps, and their zeros."""
    map_numbers = {id(output._keras_history.operation): number for number, output in enumerate(net.outputs[:-1])}
    shifts = [_Shift() for _ in map_numbers]
    originals = {}

    def copy(layer: layers.Layer) -> layers.Layer:
        originals[id(new_layer := layer.__class__.from_config(layer.get_config()))] = layer
        return new_layer

    def call(layer: layers.Layer, *inputs, **arguments):
        output = layer(*inputs, **arguments)
        number = map_numbers.get(id(originals.get(id(layer))))
        return output if number is None else shifts[number](output)

    images = keras.Input(batch_shape=(batch_size, *net.input.shape[1:]), dtype=net.input.dtype)
    net_copy = keras.models.clone_model(net, images, clone_function=copy, call_function=call)
    for layer in net.layers:
        if layer.weights:
            net_copy.get_layer(layer.name).set_weights(layer.get_weights())
    return net_copy, [shift.zeros for shift in shifts]
