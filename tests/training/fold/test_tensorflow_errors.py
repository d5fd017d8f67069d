"""Errors of TensorFlow, told in one line."""

import pytest
import tensorflow as tf

from medfold.training.fold.tensorflow_errors import tensorflow_errors_explained
from tests.support.helpers import refused


class ResourceExhaustedError(Exception):
    """Has the name of TensorFlow's error."""


class InvalidArgumentError(Exception):
    """Has the name and the attribute of TensorFlow's error."""

    message = "shapes do not fit\nstack of the graph"


@pytest.mark.parametrize("error", [ResourceExhaustedError("OOM"), RuntimeError("RESOURCE_EXHAUSTED: out of memory")])
def test_lack_of_memory_advises_a_smaller_batch(error):
    with (
        refused(r"^fold 0: .*out of memory.*training\.batch_size"),
        tensorflow_errors_explained("fold 0"),
    ):
        raise error


def test_invalid_argument_shows_the_first_line():
    with (
        refused("^fold 0: TensorFlow: shapes do not fit") as caught,
        tensorflow_errors_explained("fold 0"),
    ):
        raise InvalidArgumentError
    assert "stack" not in str(caught.value)


def test_other_errors_are_not_changed():
    with pytest.raises(ZeroDivisionError), tensorflow_errors_explained("fold 0"):
        raise ZeroDivisionError


def test_operation_without_deterministic_version_raises_with_advice():
    reason = "A deterministic GPU implementation of CropAndResize is not currently available.\nMore."
    told = r"^fold 0: TensorFlow: A deterministic GPU .* available\. "
    fix = r"Add SET=training\.deterministic=false, or set it in the recipe$"
    with refused(told + fix), tensorflow_errors_explained("fold 0"):
        raise tf.errors.UnimplementedError(None, None, reason)


@pytest.mark.parametrize(
    "reason", ["Failed call to cudaGetDevice: CUDA driver version", "DNN library initialization failed."]
)
def test_gpu_that_cannot_be_used_raises_with_advice(reason):
    told = f"^fold 0: TensorFlow cannot use the GPU: {reason.rstrip('.')}. Update the NVIDIA driver, .*make doctor"
    with refused(told), tensorflow_errors_explained("fold 0"):
        raise tf.errors.InternalError(None, None, f"{reason}\nMore.")


def test_gpu_without_memory_is_no_broken_gpu():
    with refused("^fold 0: the machine or its GPU is out of memory"), tensorflow_errors_explained("fold 0"):
        raise tf.errors.InternalError(None, None, "failed to allocate: CUDA_ERROR_OUT_OF_MEMORY")


def test_other_internal_error_of_tensorflow_is_no_user_error():
    with pytest.raises(tf.errors.InternalError), tensorflow_errors_explained("fold 0"):
        raise tf.errors.InternalError(None, None, "Graph is broken")
