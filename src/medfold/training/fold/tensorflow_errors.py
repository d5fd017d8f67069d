"""Errors of TensorFlow as errors for the user, in one line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from medfold.errors import UserError
from medfold.terminal.command_text import command, variable


@contextmanager
def tensorflow_errors_explained(topic: str) -> Iterator[None]:
    """Turns errors of TensorFlow within the block into a UserError.

    Args:
        topic: name of the work in messages, such as `fold 0`.

    Raises:
        UserError: memory does not suffice, an operation has no deterministic version for GPUs, TensorFlow cannot use
            the GPU, or it rejects an argument.
    """
    try:
        yield
    except Exception as error:
        name = type(error).__name__  # by name: other backends have other classes
        if name == "ResourceExhaustedError" or re.search("RESOURCE_EXHAUSTED|CUDA_ERROR_OUT_OF_MEMORY", str(error)):
            fix = (
                "Use smaller images (preparation.size); or, down to batches of 8, halve training.batch_size and double "
                "training.accumulation_steps (docs/performance.md)"
            )
            raise UserError("the machine or its GPU is out of memory", topic, fix) from None
        if name == "UnimplementedError" and "determinis" in str(error):
            fix = f"Add {variable('SET', 'training.deterministic=false')}, or set it in the recipe"
            raise UserError(f"TensorFlow: {_first_line(error)}", topic, fix) from None
        if name in ("InternalError", "FailedPreconditionError") and re.search("CUDA|cuDNN|DNN library", str(error)):
            what = f"TensorFlow cannot use the GPU: {_first_line(error)}"
            no_gpu = "Without a GPU: export CUDA_VISIBLE_DEVICES=-1"
            fix = f"Update the NVIDIA driver, then run {command('doctor')}. {no_gpu}"
            raise UserError(what, topic, fix) from None
        if name == "InvalidArgumentError":
            fix = (
                "Check shapes and types of what plugins.py returns, if there is one; else please report it, with the "
                f"traceback that {variable('DEBUG')} shows"
            )
            raise UserError(f"TensorFlow: {_first_line(error)}", topic, fix) from None
        raise


def _first_line(error: Exception) -> str:
    """Returns the first line of an error of TensorFlow, without its full stop."""
    return error.message.splitlines()[0].rstrip(".")
