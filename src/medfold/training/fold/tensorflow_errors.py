"""Errors of TensorFlow as errors for the user, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from medfold.errors import UserError
from medfold.terminal.command_text import variable


@contextmanager
def tensorflow_errors_explained(topic: str) -> Iterator[None]:
    """Turns errors of TensorFlow within the block into a UserError.

    Args:
        topic: name of the work in messages, such as `fold 0`.

    Raises:
        UserError: memory does not suffice, or TensorFlow rejects an argument.
    """
    try:
        yield
    except Exception as error:
        name = type(error).__name__  # by name: other backends have other classes
        if name == "ResourceExhaustedError" or "RESOURCE_EXHAUSTED" in str(error):
            fix = "Halve training.batch_size and double training.accumulation_steps, or use smaller images"
            raise UserError("the machine or its GPU is out of memory", topic, fix) from None
        if name == "InvalidArgumentError":
            fix = f"Run the same command with {variable('DEBUG')} for the traceback"
            raise UserError(f"TensorFlow: {error.message.splitlines()[0]}", topic, fix) from None
        raise
