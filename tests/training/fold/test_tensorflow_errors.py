"""Errors of TensorFlow, told in one line."""

import pytest

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
