"""The numbers that are computed in, and the GPUs that TensorFlow has."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras


def precision_of(choice: str) -> str:
    """What `training.precision: auto` stands for on this machine.

    float16 on GPUs with units for it (compute capability 7 and above), bfloat16 on CPUs with units for it (AMX), else
    float32: without such units the others are slower or no faster.
    """
    if choice != "auto":
        return choice
    import tensorflow as tf

    gpus_there = tf.config.list_physical_devices("GPU")
    if gpus_there:
        details = tf.config.experimental.get_device_details(gpus_there[0])
        return "float16" if details.get("compute_capability", (0, 0)) >= (7, 0) else "float32"
    facts = Path("/proc/cpuinfo")
    return "bfloat16" if facts.is_file() and "amx_bf16" in facts.read_text() else "float32"


@contextmanager
def computed_in(precision: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def tensorflow_gpus() -> list[str]:
    """The names of the GPUs that TensorFlow can use."""
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(device).get("device_name", device.name) for device in devices]
