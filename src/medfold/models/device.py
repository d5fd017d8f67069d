"""What the device of the Keras backend can do: GPUs, precision, compilation, determinism."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of a new graph for each net, which is meant


def gpus() -> list[str]:
    """The names of the GPUs that the backend can use."""
    if keras.backend.backend() == "jax":
        return [device.device_kind for device in _gpu_devices()]
    return [_details(device).get("device_name") or device.name for device in _gpu_devices()]


def resolve_precision(choice: str) -> str:
    """What `training.precision: auto` stands for on this machine.

    float16 on GPUs with units for it (compute capability 7 and above), bfloat16 on CPUs with units for it (AMX), else
    float32: without such units the others are slower or no faster.
    """
    if choice != "auto":
        return choice
    if found := _gpu_devices():
        if keras.backend.backend() == "jax":
            return "float16" if float(getattr(found[0], "compute_capability", 0)) >= 7 else "float32"
        return "float16" if _details(found[0]).get("compute_capability", (0, 0)) >= (7, 0) else "float32"
    facts = Path("/proc/cpuinfo")
    return "bfloat16" if facts.is_file() and "amx_bf16" in facts.read_text() else "float32"


def _gpu_devices() -> list:
    if keras.backend.backend() == "jax":
        import jax

        return [device for device in jax.devices() if device.platform == "gpu"]
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    return tf.config.list_physical_devices("GPU")


def _details(device) -> dict:
    import tensorflow as tf

    return tf.config.experimental.get_device_details(device)


@contextmanager
def compute_precision(precision: str) -> Iterator[None]:
    """Within the block, nets are built to compute in a precision; weights and outputs stay float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def resolve_compile(choice: bool | str) -> bool:
    """What `training.compile: auto` stands for: XLA with JAX, which needs it; not with TensorFlow."""
    return keras.backend.backend() == "jax" if choice == "auto" else bool(choice)


def make_deterministic(seed: int, operations: bool = True) -> None:
    """Seeds Python, numpy and the backend.

    Args:
        operations: also makes TensorFlow's operations on a GPU deterministic, which costs time. Defaults to True.
    """
    keras.utils.set_random_seed(seed)
    if operations and keras.backend.backend() == "tensorflow" and _gpu_devices():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
